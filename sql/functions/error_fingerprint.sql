-- What errors of the same kind have in common, as 16 hexadecimal digits: the same for every job that ended by "the same error".
-- Taken out is what differs from job to job: addresses, paths, files and hosts, what stands in quotes or is an example, ids,
-- hexadecimal and other numbers, capitals, punctuation, and how many there are of all these. Kept are the numbers that name a
-- kind: of an HTTP status, an exit code, a signal.
create or replace function codeteam.error_fingerprint(exit_reason text, error text) returns text
language plpgsql immutable parallel safe as $$
declare
  said text := lower(left(regexp_replace(coalesce(error, ''), '^given up after \d+ attempts: ', ''), 2000));
begin
  -- Each becomes a lone '?'. The order matters: an address holds a path, a path holds numbers.
  said := regexp_replace(said, '"(\\.|[^"\\])*"|`[^`]*`|“[^”]*”|‘[^’]*’', ' ? ', 'g');
  said := regexp_replace(said, '(?<![[:alnum:]])''[^'']*''(?![[:alnum:]])', ' ? ', 'g'); -- an apostrophe is no quote
  said := regexp_replace(said, '[a-z][a-z0-9+.-]*://\S+|[^\s@]+@[^\s:]+:\S*', ' ? ', 'g');
  said := regexp_replace(said, '[^\s/(,;:=]*(/[^\s/(),;:=]+)+/?', ' ? ', 'g');
  said := regexp_replace(said, 'such as [^;()]+', 'such as ? ', 'g');
  said := regexp_replace(said, '[^\s:(,]+:\d+(:\d+)?', ' ? ', 'g'); -- a line of a file, the port of a host
  said := regexp_replace(said, '\m(http|exit code|signal) (\d+)\M', '\1 #\2#', 'g');
  said := regexp_replace(said, '(?<!#)\m[[:alnum:]_-]*\d[[:alnum:]_-]*\M(?!#)|\m[0-9a-f]{7,}\M', ' ? ', 'g');
  said := regexp_replace(said, '\m[[:alnum:]_-]+(\.[[:alnum:]_-]+)+\M', ' ? ', 'g');
  said := regexp_replace(said, '[^[:alnum:]?]+', ' ', 'g');
  said := regexp_replace(said, '\?( \?)+', '?', 'g');
  said := left(said, 300); -- the next step's time grows faster than its text
  said := btrim(regexp_replace(said, '(\? [[:alpha:]]+)( \1)+', '\1', 'g'));
  return left(md5(coalesce(exit_reason, '') || ': ' || said), 16);
end
$$;
