import assert from "node:assert/strict";
import test from "node:test";
import * as subject from "./retry.mjs";

const retry = (...given) => subject.retry(...given);

function failing(times) {
  const waits = [];
  const work = (attempt) => {
    if (attempt <= times) throw new Error(`failure ${attempt}`);
    return `done at ${attempt}`;
  };
  return { waits, work, wait: async (ms) => void waits.push(ms) };
}

test("what succeeds is not repeated", async () => {
  const { work, wait, waits } = failing(0);
  assert.equal(await retry(work, { wait }), "done at 1");
  assert.deepEqual(waits, []);
});

test("pauses double up to the longest", async () => {
  const { work, wait, waits } = failing(5);
  assert.equal(await retry(work, { attempts: 9, first: 50, longest: 300, wait }), "done at 6");
  assert.deepEqual(waits, [50, 100, 200, 300, 300]);
});

test("the last error comes out, without a pause after it", async () => {
  const { work, wait, waits } = failing(9);
  await assert.rejects(retry(work, { wait }), /failure 3/);
  assert.deepEqual(waits, [100, 200]);
});

test("some errors are not worth it", async () => {
  const { work, wait, waits } = failing(9);
  await assert.rejects(retry(work, { wait, again: () => false }), /failure 1/);
  assert.deepEqual(waits, []);
});

test("promises are awaited", async () => {
  let calls = 0;
  const work = async () => (++calls < 2 ? Promise.reject(new Error("no")) : calls);
  assert.equal(await retry(work, { wait: async () => {} }), 2);
});

test("no attempt at all is refused", async () => {
  await assert.rejects(retry(() => 1, { attempts: 0 }), RangeError);
  await assert.rejects(retry(() => 1, { attempts: 1.5 }), RangeError);
});
