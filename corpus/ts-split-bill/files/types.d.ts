/** A whole number of cents. */
export type Cents = number;
export function split(total: Cents, people: number): Cents[];
export function parse(text: string): Cents;
