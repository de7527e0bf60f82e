/** The requirements on every failure, whatever was sent. */

/** What only the inside of the program says: stacks, files, SQL, drivers. */
const INSIDE =
  /\n\s+at |node_modules|\.ts:\d|\.js:\d|Sequelize|syntax error at|invalid input syntax|out of range for type|invalid byte sequence|violates|SQLSTATE|is not a function|Cannot read prop|ECONN|\b127\.0\.0\.1\b/;

/** A refusal is for people: it need not be longer than this, however much was wrong. */
const MAX_REFUSAL_BYTES = 65_536;

/** A 503 says which of these it is. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['OVERLOADED', 'SERVICE_UNAVAILABLE', 'ORDER_PENDING']);

export interface FailureShown {
  status: number;
  type: string;
  message: string;
  /** The whole answer as text. */
  text: string;
}

/** @throws Error when a failure is not fit to be shown to its caller */
export function demandFitForCallers({ status, type, message, text }: FailureShown): void {
  if (status >= 500 && !(status === 503 && UNAVAILABLE.has(type)))
    throw new Error(`${status} ${type}: ${text.slice(0, 500)}`);
  if (message.trim() === '') throw new Error(`${status} ${type} says nothing`);
  const inside = INSIDE.exec(text);
  if (inside) throw new Error(`${status} ${type} tells of the inside: ${text.slice(0, 500)}`);
  if (Buffer.byteLength(text) > MAX_REFUSAL_BYTES)
    throw new Error(`${status} ${type} is ${Buffer.byteLength(text)} bytes long: ${text.slice(0, 200)}`);
}

const BUILT_IN = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Number.prototype].map(
  (prototype) => ({ prototype, names: Reflect.ownKeys(prototype) }),
);

/** @throws Error when a prototype has gained a property */
export function demandUnpolluted(): void {
  for (const { prototype, names } of BUILT_IN) {
    const strange = Reflect.ownKeys(prototype).filter((name) => !names.includes(name));
    if (strange.length > 0) throw new Error(`a prototype has ${strange.map(String).join(', ')}`);
  }
}
