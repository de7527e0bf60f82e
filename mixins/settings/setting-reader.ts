/** Reads and checks settings; an invalid one is reported in one line. */

/** A setting is invalid. The message is one line for the operator. */
export class SettingError extends Error {}

export type Environment = Record<string, string | undefined>;

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads settings from an environment. Every method throws a SettingError that names an invalid setting. */
export class SettingReader {
  readonly #environment: Environment;
  constructor(environment: Environment) {
    this.#environment = environment;
  }

  text(name: string): string | undefined {
    return this.#environment[name]?.trim() || undefined;
  }

  refuse(name: string, expected: string): never {
    throw new SettingError(`${name}=${this.#environment[name]} cannot be used: give ${expected}`);
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      this.refuse(name, `a whole number from ${min} to ${max}`);
    return value;
  }

  /** A plain number is in milliseconds; `500ms`, `30s`, `15m`, `2h` and `1d` have units. */
  duration(name: string, fallbackMs: number, minMs = 1): number {
    const text = this.text(name);
    if (text === undefined) return fallbackMs;
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
    const ms = match ? Math.round(Number(match[1]) * (UNITS[match[2] ?? 'ms'] as number)) : Number.NaN;
    if (!(ms >= minMs && ms <= 366 * 86_400_000))
      this.refuse(name, `a duration of at least ${minMs} ms, such as 30s, 15m or 2h`);
    return ms;
  }

  /** One of these words, in upper or lower case. */
  oneOf<Word extends string>(name: string, words: readonly Word[], fallback: Word): Word {
    const text = this.text(name)?.toLowerCase() ?? fallback;
    return words.find((word) => word === text) ?? this.refuse(name, words.join(', '));
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return fallback;
    if (text !== 'true' && text !== 'false') this.refuse(name, 'true or false');
    return text === 'true';
  }

  url(name: string, protocols: string[]): string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const expected = `an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
    // The value may contain a password, so the message leaves it out.
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      throw new SettingError(`${name} cannot be used: give ${expected}`);
    }
    return text;
  }
}
