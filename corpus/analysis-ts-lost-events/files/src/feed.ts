import { EventEmitter } from "node:events";
import type { Log, Entry } from "./log";

export class Feed {
  private readonly emitter = new EventEmitter();

  constructor(private readonly log: Log) {}

  publish(entry: Entry): void {
    this.log.append(entry);
    this.emitter.emit("entry", entry);
  }

  /** Everything since `after`, then what comes. */
  async *follow(after: number): AsyncGenerator<Entry> {
    const past = await this.log.since(after);
    yield* past;
    const queue: Entry[] = [];
    let wake = () => {};
    this.emitter.on("entry", (entry: Entry) => {
      queue.push(entry);
      wake();
    });
    for (;;) {
      while (queue.length > 0) yield queue.shift()!;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
}
