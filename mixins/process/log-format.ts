/** How a log line is written: as text for a terminal, or as one JSON object for a log collector. */
import { isatty } from 'node:tty';
import { inspect } from 'node:util';
import { Loggers } from 'moleculer';
import { environment, type Settings } from '../settings/settings.ts';

/** What a log line is about, for a search in collected logs. Keys are snake_case, durations end in `_ms`. */
export type LogFields = Readonly<Record<string, string | number | null | undefined>>;

class Fields {
  readonly values: LogFields;
  constructor(values: LogFields) {
    this.values = values;
  }
}

/** An argument for any log call: the fields of its JSON object. Text does not show them. */
export const about = (values: LogFields): object => new Fields(values);

interface Origin {
  nodeID: string;
  mod: string;
}

/** The broker's logger. */
export class FormattedLogger extends Loggers.Console {
  readonly #json: boolean;

  constructor({ logFormat, logLevel }: Pick<Settings, 'logFormat' | 'logLevel'>) {
    super({ level: logLevel, formatter: 'full', colors: logFormat === 'text' && isatty(1), objectPrinter: onOneLine });
    this.#json = logFormat === 'json';
  }

  override getFormatter(origin: Origin & { ns: string }): (level: string, args: unknown[]) => string[] {
    const text = super.getFormatter(origin);
    if (this.#json) return (level, args) => [jsonLine(level, args, origin)];
    return (level, args) => text(level, args.filter(isShown));
  }
}

/** A line of a process whose broker does not run, in the format set in the environment. */
export function lineOutsideBroker(level: string, message: string): string {
  return environment()['LOG_FORMAT']?.trim().toLowerCase() === 'json' ? jsonLine(level, [message]) : message;
}

const isShown = (value: unknown): boolean => !(value instanceof Fields);

function jsonLine(level: string, args: readonly unknown[], origin?: Origin): string {
  const error = args.find((value): value is Error => value instanceof Error);
  return JSON.stringify({
    time: new Date().toISOString(),
    level,
    message: args.filter(isShown).map(wordOf).join(' '),
    node_id: origin?.nodeID,
    module: origin?.mod,
    ...args.find((value): value is Fields => value instanceof Fields)?.values,
    error: error && { type: error.name, message: error.message, stack: stackOf(error) },
  });
}

function wordOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : onOneLine(value);
}

function onOneLine(value: unknown): string {
  const text =
    value instanceof Error ? stackOf(value) : inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY });
  return text.replaceAll(/\s*\n\s*/g, ' | ');
}

/** The stack of an error and its causes, without their data, which may hold a caller's name or address. */
function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
