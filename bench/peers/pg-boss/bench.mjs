// pg-boss, as its documentation sets it up. Best: LISTEN/NOTIFY, and "burst" while there is a backlog, with the statistics that
// it goes by kept fresh; batched: a hundred jobs a fetch (https://pgboss.io/api/workers).
import pg from "pg";
import { PgBoss } from "pg-boss";
import { Tally, drained, pause, serve, steady, tell, url, wakes } from "../protocol.mjs";

const POLL_MS = 2000;
const queue = (best) => (best ? "ringing" : "polled");
const many = (count) => Array.from({ length: count }, () => ({ data: {} }));

async function boss({ rings = false, counts = false } = {}) {
  const options = { connectionString: url };
  if (rings) options.useListenNotify = true;
  if (counts) {
    Object.assign(options, { superviseIntervalSeconds: 1, monitorIntervalSeconds: 1, queueCacheIntervalSeconds: 1 });
    options.max = 12; // connections: more than its ten workers
  }
  const boss = new PgBoss(options);
  boss.on("error", (error) => tell(`pg-boss: ${error.message}`));
  return boss.start();
}

const work = (boss, name, options, tally) => boss.work(name, options, async (jobs) => tally.handled(jobs.length));

function options({ workers, best, batch }) {
  if (batch) return { localConcurrency: workers, batchSize: 100, burstWhenBatchFull: true };
  // A worker whose last fetch came before the backlog was counted is back at the next poll: let that be soon.
  const soon = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 };
  if (best) return { localConcurrency: workers, burstWhenReadyExceeds: 1, ...soon };
  return { localConcurrency: workers };
}

/** Burst goes by a count that is taken once a second and read by the worker once a second. */
async function counted(client) {
  const ready = "select ready_count > 1 as yes from pgboss.queue where name = 'ringing'";
  while (!(await client.query(ready)).rows[0].yes) await pause(50);
  await pause(1100);
}

async function connected() {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

await serve({
  async setup() {
    const it = await boss();
    await it.createQueue("polled");
    await it.createQueue("ringing", { notify: true });
    await it.stop({ graceful: false });
  },

  async wake({ rounds, best }) {
    const tally = new Tally();
    const client = await connected();
    const it = await boss({ rings: best });
    await work(it, queue(best), options({ workers: 1 }), tally);
    const insert = (on) => {
      const db = { executeSql: (text, values) => on.query(text, values) };
      return it.send(queue(best), {}, { db });
    };
    // Without notifications it polls: any moment between two polls must be as likely as another.
    return wakes(rounds, client, insert, tally, () => 50 + Math.random() * (best ? 50 : POLL_MS));
  },

  async drain({ jobs, workers, batch, best }) {
    const tally = new Tally();
    const client = await connected();
    const it = await boss({ rings: best, counts: best });
    const name = queue(best);
    for (let left = jobs; left > 0; left -= 1000) await it.insert(name, many(Math.min(left, 1000)));
    if (best && !batch) await counted(client);
    await work(it, name, options({ workers, best, batch }), tally);
    return drained(jobs, tally, async () => {
      const left = "select exists (select from pgboss.job where name = $1 and state < 'completed') as left";
      return Number((await client.query(left, [name])).rows[0].left);
    });
  },

  async idle({ seconds, best }) {
    // Fresh statistics are for a backlog: an idle worker has none, and notifications are all that it needs.
    const it = await boss({ rings: best });
    await work(it, queue(best), {}, new Tally());
    await pause(seconds * 1000);
    return { idle_s: seconds };
  },

  async steady({ seconds, bucket, workers }) {
    const tally = new Tally();
    const it = await boss({ rings: true, counts: true });
    await work(it, queue(true), options({ workers, best: true }), tally);
    return steady({ seconds, bucket }, (count) => it.insert(queue(true), many(count)), tally);
  },
});
