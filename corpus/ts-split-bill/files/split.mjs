// @ts-check
/** @import { Cents } from "./types" */

/**
 * Splits an amount among `people`, who are 1 or more.
 * @param {Cents} total
 * @param {number} people
 * @returns {Cents[]}
 */
export function split(total, people) {
  if (!Number.isInteger(people) || people < 1) throw new RangeError("a bill needs people");
  return Array.from({ length: people }, () => Math.floor((total / 100 / people) * 100));
}

/**
 * An amount in dollars as people write it, in cents.
 * @param {string} text
 * @returns {Cents}
 */
export function parse(text) {
  return Number(text) * 100;
}
