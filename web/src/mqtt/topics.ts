// The messages received: the tree of topics with the latest message of each, and the messages one after the other. Both
// are bounded.

export interface Message {
  at: number;
  topic: string;
  bytes: Uint8Array<ArrayBuffer>;
  qos: number;
  retain: boolean;
  /// Properties of MQTT 5, in words.
  properties: string[];
}

export interface Topic {
  /// The level's own name.
  name: string;
  depth: number;
  path: string;
  below: Map<string, Topic>;
  /// The topics below, in the order that they are shown in; null if that has to be found anew.
  sorted: Topic[] | null;
  latest: Message | null;
  count: number;
  isOpen: boolean;
}

export const MOST_TOPICS = 20_000;
export const MOST_MESSAGES = 20_000;
export const MOST_BYTES = 32 * 1024 * 1024;
/// Levels of a topic that are levels of the tree; the last of them has the rest. A topic of 64 kB may have as many.
export const MOST_LEVELS = 32;
/// Levels that are open at first.
const OPEN = 3;
/// Of numbers as people count them: `sensor/2` is before `sensor/10`.
const ORDER = new Intl.Collator(undefined, { numeric: true });

export class Received {
  #root: Topic = level("", -1, "");
  #topics = 0;
  /// Messages whose topic has no room in the tree.
  left = 0;
  #messages: Message[] = [];
  #front = 0;
  #bytes = 0;

  /// Adds a message. How many old ones left the list.
  add(message: Message): number {
    this.#file(message);
    this.#messages.push(message);
    this.#bytes += message.bytes.length;
    let gone = 0;
    while (this.length > MOST_MESSAGES || (this.#bytes > MOST_BYTES && this.length > 1)) {
      this.#bytes -= this.#messages[this.#front]?.bytes.length ?? 0;
      delete this.#messages[this.#front++];
      gone += 1;
    }
    if (this.#front > 10_000) {
      this.#messages = this.#messages.slice(this.#front);
      this.#front = 0;
    }
    return gone;
  }

  get length(): number {
    return this.#messages.length - this.#front;
  }

  at(index: number): Message | undefined {
    return this.#messages[this.#front + index];
  }

  clear(): void {
    this.#root = level("", -1, "");
    this.#topics = 0;
    this.left = 0;
    this.#messages = [];
    this.#front = 0;
    this.#bytes = 0;
  }

  /// Topics from the top, without what is folded.
  open(): Topic[] {
    const shown: Topic[] = [];
    const walk = (topic: Topic): void => {
      topic.sorted ??= [...topic.below.values()].sort((a, b) => ORDER.compare(a.name, b.name));
      for (const inner of topic.sorted) {
        shown.push(inner);
        if (inner.isOpen) walk(inner);
      }
    };
    walk(this.#root);
    return shown;
  }

  #file(message: Message): void {
    let at = this.#root;
    const { topic } = message;
    const path: Topic[] = [];
    let end = -1;
    for (let depth = 0; end < topic.length; depth++) {
      const begin = end + 1;
      const slash = depth < MOST_LEVELS - 1 ? topic.indexOf("/", begin) : -1;
      end = slash < 0 ? topic.length : slash;
      const name = topic.slice(begin, end);
      let next = at.below.get(name);
      if (next === undefined) {
        if (this.#topics >= MOST_TOPICS) {
          this.left += 1;
          return;
        }
        this.#topics += 1;
        next = level(name, depth, topic.slice(0, end));
        at.below.set(name, next);
        at.sorted = null;
      }
      path.push(next);
      at = next;
    }
    for (const topic of path) topic.count += 1;
    at.latest = message;
  }
}

function level(name: string, depth: number, path: string): Topic {
  return { name, depth, path, below: new Map(), sorted: null, latest: null, count: 0, isOpen: depth < OPEN };
}
