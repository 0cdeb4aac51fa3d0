-- Pauses a mode: its jobs wait, those at work are finished. Said again, it changes the reason.
create or replace function codeteam.pause_mode(mode text, reason text default '') returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select check_mode(mode), demand(octet_length(reason) <= 1000, 'reason', reason, 'give at most 1000 bytes, or an empty text');
  insert into pauses as p (mode, reason) values (mode, reason)
  on conflict on constraint pauses_pkey do update set reason = excluded.reason
$$;

-- Lets a mode go on, and rings. False: it was not paused.
create or replace function codeteam.resume_mode(mode text) returns boolean
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform check_mode(mode);
  delete from pauses p where p.mode = resume_mode.mode;
  if not found then
    return false;
  end if;
  perform ring(array[resume_mode.mode, 'scaler']);
  return true;
end
$$;
