select newly_armed, ready, next_due_ms, codeteam.schema_version() as version, codeteam.works_since()
from codeteam.doze($1, $2, $3, $4)
