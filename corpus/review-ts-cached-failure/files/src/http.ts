export interface Answer {
  ok: boolean;
  json(): Promise<unknown>;
}

export interface Http {
  get(path: string): Promise<Answer>;
}
