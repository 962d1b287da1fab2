-- A vote writes four rows. What the database did to each of them beside storing it was a tenth of the vote: check
-- constraints are read from their catalogue text at every statement, and a state was taken apart into its members and put
-- together again though no statement of a vote looks into it.

-- The one who writes entries refuses larger ones, with a code that the asker can act on.
alter table proviso.entry drop constraint entry_bytes_check;

alter table proviso.idempotency drop constraint idempotency_key_check;
alter table proviso.idempotency alter column key type varchar(300);

-- Kept as written. Statements that look into a state say so by a cast.
alter table proviso.stream alter column state type json using state::json;
alter table proviso.stream alter column state set storage external;
