export interface Entry {
  id: number;
  text: string;
}

export interface Log {
  append(entry: Entry): void;
  since(id: number): Promise<Entry[]>;
}
