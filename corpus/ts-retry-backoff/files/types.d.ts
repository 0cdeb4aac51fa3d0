export interface Options {
  /** How often it is tried in all, 1 or more. Default: 3. */
  attempts?: number;
  /** The pause after the first failure in milliseconds; it doubles with each further one. Default: 100. */
  first?: number;
  /** No pause is longer. Default: 10 000. */
  longest?: number;
  /** Whether it is worth another try. Default: always. */
  again?: (error: unknown) => boolean;
  /** How to wait. Default: `pause`. */
  wait?: (ms: number) => Promise<void>;
}
export function pause(ms: number): Promise<void>;
/** What `work` gives; its last error if it never succeeds. It is told the number of the try, from 1. */
export function retry<T>(work: (attempt: number) => Promise<T> | T, options?: Options): Promise<T>;
