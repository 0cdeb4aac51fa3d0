import assert from "node:assert/strict";
import test from "node:test";
import { parse, split } from "./split.mjs";

test("an even split", () => assert.deepEqual(split(9_000, 3), [3_000, 3_000, 3_000]));

test("what is left over is handed out, one cent each, from the first", () => {
  assert.deepEqual(split(10_000, 3), [3_334, 3_333, 3_333]);
  assert.deepEqual(split(5, 3), [2, 2, 1]);
  assert.deepEqual(split(0, 2), [0, 0]);
});

test("nothing is lost, whatever the amount", () => {
  for (let total = 0; total < 2_000; total++) {
    const shares = split(total, 7);
    assert.equal(shares.reduce((sum, share) => sum + share, 0), total);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
  }
});

test("a refund is split in the same way", () => {
  assert.equal(split(-100, 3).reduce((sum, share) => sum + share, 0), -100);
});

test("amounts are whole cents", () => {
  assert.deepEqual(["19.99", "0.29", "1.1", "64.1", "5"].map(parse), [1_999, 29, 110, 6_410, 500]);
});

test("nobody cannot pay", () => assert.throws(() => split(100, 0), RangeError));
