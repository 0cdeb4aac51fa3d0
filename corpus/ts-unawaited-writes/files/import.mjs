// @ts-check

/**
 * Writes the records and says how many there were.
 * @template T
 * @param {Iterable<T>} records
 * @param {(record: T) => Promise<void>} write
 * @returns {Promise<{ written: number }>}
 */
export async function importAll(records, write) {
  let written = 0;
  [...records].forEach(async (record) => {
    await write(record);
    written += 1;
  });
  return { written };
}
