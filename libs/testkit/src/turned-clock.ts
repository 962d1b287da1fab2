import pg from 'pg';

/** The clock of one database, turned by a test: days pass at once for every statement of the product. */
export interface TurnedClock {
  /** By how much it is ahead of the wall's. */
  readonly aheadMs: () => number;
  readonly forward: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Puts a clock of our own before PostgreSQL's in the search path of the product's roles: their statements ask for
 * `clock_timestamp()` without saying whose. Only connections that are opened after this have it.
 */
export async function turnClock(superuserUrl: string): Promise<TurnedClock> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query(`
    create schema turned;
    create table turned.hand (ahead interval not null);
    insert into turned.hand values ('0');
    create function turned.clock_timestamp() returns timestamptz language sql volatile as
      $$ select pg_catalog.clock_timestamp() + ahead from turned.hand $$;
    grant usage on schema turned to proviso_app, proviso_pump;
    grant select on turned.hand to proviso_app, proviso_pump;
    do $$ begin
      execute format('alter role proviso_app in database %I set search_path = turned, pg_catalog', current_database());
      execute format('alter role proviso_pump in database %I set search_path = turned, pg_catalog', current_database());
    end $$;
  `);
  let ahead = 0;
  return {
    aheadMs: () => ahead,
    forward: async (ms) => {
      ahead += ms;
      await client.query(`update turned.hand set ahead = $1 * interval '1 millisecond'`, [ahead]);
    },
    close: () => client.end(),
  };
}
