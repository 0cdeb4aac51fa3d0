import assert from "node:assert/strict";
import test from "node:test";
import { importAll } from "./import.mjs";

/** A store whose writes take a turn of the event loop. */
function store() {
  const rows = [];
  let busy = 0;
  const write = async (row) => {
    busy += 1;
    assert.equal(busy, 1, "one at a time");
    await new Promise((done) => setImmediate(done));
    busy -= 1;
    if (row === "bad") throw new Error("refused: bad");
    rows.push(row);
  };
  return { rows, write };
}

test("all of them are written when it says so", async () => {
  const { rows, write } = store();
  assert.deepEqual(await importAll(["a", "b", "c"], write), { written: 3 });
  assert.deepEqual(rows, ["a", "b", "c"]);
});

test("a failing write is the caller's to see, and ends the import", async () => {
  const { rows, write } = store();
  await assert.rejects(importAll(["a", "bad", "c"], write), /refused: bad/);
  assert.deepEqual(rows, ["a"]);
});

test("any iterable will do, also none", async () => {
  const { rows, write } = store();
  assert.deepEqual(await importAll(new Set(["x"]), write), { written: 1 });
  assert.deepEqual(await importAll([], write), { written: 0 });
  assert.deepEqual(rows, ["x"]);
});
