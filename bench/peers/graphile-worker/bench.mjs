// graphile-worker, as its documentation sets it up. Best: a pool that is larger than the concurrency; batched: a local queue and
// completions that are sent together (https://worker.graphile.org/docs/performance, and the settings of its own performance test).
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { Tally, drained, pause, serve, steady, url, wakes } from "../protocol.mjs";

const logger = new Logger(() => () => {});
const ADD_JOBS = `select count(*) from graphile_worker.add_jobs(
  array(select ('nothing', '{}'::json, null, null, null, null, null, null)::graphile_worker.job_spec from generate_series(1, $1)))`;

function start(tally, { concurrency, best, batch }) {
  const worker = { connectionString: url, logger };
  if (best) worker.maxPoolSize = Math.max(10, concurrency + 2);
  if (batch) Object.assign(worker, { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 });
  return run({
    preset: { worker },
    concurrency,
    noHandleSignals: true,
    taskList: { nothing: async () => tally.handled() },
    parsedCronItems: [],
  });
}

async function connected() {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

await serve({
  async setup() {
    const utils = await makeWorkerUtils({ connectionString: url, logger });
    await utils.migrate();
    await utils.release();
  },

  async wake({ rounds, best }) {
    const tally = new Tally();
    const client = await connected();
    await start(tally, { concurrency: 1, best });
    const insert = (on) => on.query("select graphile_worker.add_job('nothing', '{}'::json)");
    // It hears of each job by a notification, so that any moment of its idleness is as good as another.
    return wakes(rounds, client, insert, tally, () => 50 + Math.random() * 50);
  },

  async drain({ jobs, workers, batch, best }) {
    const tally = new Tally();
    const client = await connected();
    await client.query(ADD_JOBS, [jobs]);
    await start(tally, { concurrency: workers, best, batch });
    return drained(jobs, tally, async () => {
      const { rows } = await client.query("select exists (select from graphile_worker._private_jobs) as left");
      return Number(rows[0].left);
    });
  },

  async idle({ seconds, best }) {
    await start(new Tally(), { concurrency: 1, best });
    await pause(seconds * 1000);
    return { idle_s: seconds };
  },

  async steady({ seconds, bucket, workers }) {
    const tally = new Tally();
    const client = await connected();
    await start(tally, { concurrency: workers, best: true });
    return steady({ seconds, bucket }, (count) => client.query(ADD_JOBS, [count]), tally);
  },
});
