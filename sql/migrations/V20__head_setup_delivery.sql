-- What a review looks at, what a build must fetch before it, and where a result goes. sql/functions/check_job.sql has their bounds.
alter table codeteam.jobs
  add column head          text, -- of a review: the branch, tag, commit or pull/N whose changes since base are looked at; null: the code as it is
  add column setup_command text, -- run once in each checkout, with network and without secrets, before anything else; null: nothing is set up
  add column delivery      text; -- patch, branch or pull_request; null: a pull request where the forge allows it, else a patch
