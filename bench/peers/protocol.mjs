// What the Node.js peers share: the arguments, the clock, the one line of JSON. README.md beside this says what each command means.
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";

export { pause };
export const now = () => performance.now();
export const url = process.env.DATABASE_URL;
/** Progress is for people: standard output belongs to the answer. */
export const tell = (text) => process.stderr.write(`${text}\n`);

/** Runs the command that the arguments name and prints its answer. The process ends then, whatever a library still has open. */
export async function serve(commands) {
  const text = { type: "string" };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: text, jobs: text, workers: text, seconds: text, bucket: text, batch: text, setting: text },
  });
  const number = (name) => (values[name] === undefined ? undefined : Number(values[name]));
  const command = commands[positionals[0]];
  if (!command || !url) {
    tell(`usage: DATABASE_URL=... node bench.mjs ${Object.keys(commands).join("|")} ... (see ../README.md)`);
    process.exit(2);
  }
  const answer = await command({
    rounds: number("rounds"),
    jobs: number("jobs"),
    workers: number("workers"),
    seconds: number("seconds"),
    bucket: number("bucket"),
    batch: values.batch === "yes",
    best: values.setting === "best",
  });
  process.stdout.write(`${JSON.stringify(answer ?? {})}\n`, () => process.exit(0));
}

/** Counts handlers, and knows when the first one started. */
export class Tally {
  first = undefined;
  done = 0;
  #waiting = [];

  /** Call it where a handler starts; the handler does nothing else. */
  handled(jobs = 1) {
    this.first ??= now();
    this.done += jobs;
    this.#waiting = this.#waiting.filter(({ count, resolve }) => this.done < count || resolve());
  }

  reached(count) {
    return new Promise((resolve) => {
      if (this.done >= count) resolve();
      else this.#waiting.push({ count, resolve });
    });
  }
}

/** Milliseconds from COMMIT being sent to the handler's start, once per round; `idle` gives how long to wait before each. */
export async function wakes(rounds, client, insert, tally, idle) {
  const samples = [];
  for (let round = 1; round <= rounds; round++) {
    await pause(idle());
    await client.query("begin");
    await insert(client);
    tally.first = undefined;
    const start = now();
    const committed = client.query("commit");
    await tally.reached(round);
    samples.push(tally.first - start);
    await committed;
  }
  return { wake_ms: samples };
}

/** Waits for all handlers, and then until `left` (a query) finds nothing more to complete. */
export async function drained(jobs, tally, left) {
  await tally.reached(jobs);
  while ((await left()) > 0) await pause(1);
  return { jobs_per_s: (jobs / (now() - tally.first)) * 1000, jobs };
}

/** Keeps about a thousand jobs queued for some seconds; gives how many were handled in each bucket of them. */
export async function steady({ seconds, bucket }, enqueue, tally) {
  const queued = 1000;
  const buckets = [];
  let asked = 0;
  const start = now();
  let [edge, before] = [start + bucket * 1000, tally.done];
  while (buckets.length < Math.floor(seconds / bucket)) {
    const missing = queued - (asked - tally.done);
    if (missing >= 50) {
      asked += missing;
      await enqueue(missing);
    }
    if (now() >= edge) {
      buckets.push(tally.done - before);
      [edge, before] = [edge + bucket * 1000, tally.done];
    }
    await pause(10);
  }
  return { buckets };
}
