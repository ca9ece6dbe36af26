// Which server a worker of the tests drives: each has its own, so that none meets what
// another does at the same time.

/** What a worker must know of its server. */
export interface Server {
  url: string;
  database: string;
  /** The file with the session of the admin. */
  state: string;
}

const HANDED = "LONGSHORE_TEST_SERVERS";

/**
 * A server that is given from outside is one for all: then tests come one by one. Else three
 * at once, as they wait much: two leave four tenths of two cores idle.
 */
const given = process.env.LONGSHORE_URL !== undefined && process.env[HANDED] === undefined;
export const WORKERS = given ? 1 : 3;

/** Hands the servers to the workers, which begin with this process's environment. */
export function hand(servers: Server[]): void {
  process.env[HANDED] = JSON.stringify(servers);
}

/** In a worker: puts the one that is its own where tests look for it. */
export function takeOwn(): void {
  const handed = process.env[HANDED];
  const index = process.env.TEST_PARALLEL_INDEX;
  if (handed === undefined || index === undefined) return;
  const own = (JSON.parse(handed) as Server[])[Number(index)];
  if (own === undefined) return;
  process.env.LONGSHORE_URL = own.url;
  process.env.LONGSHORE_STATE = own.state;
  process.env.LONGSHORE_TEST_DATABASE = own.database;
}
