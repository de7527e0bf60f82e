/** Secrets and personal data that a test plants, and the places where it finds them again. */
import { randomBytes } from 'node:crypto';

/** Something planted. It is looked for as it is, and as it travels in addresses and in base64. */
export interface Planted {
  what: string;
  text: string;
}

/** A secret that nobody can guess. */
export const secret = (what: string): Planted => ({
  what,
  text: `${what.replaceAll(' ', '-')}-${randomBytes(24).toString('hex')}`,
});

/** Where something was found. */
export interface Found {
  what: string;
  where: string;
}

const forms = (text: string): string[] => [
  ...new Set([text, encodeURIComponent(text), Buffer.from(text).toString('base64').replace(/=+$/, '')]),
];

/** Everything that was planted and stands in these texts, each with the beginning of the first text that has it. */
export function findPlanted(planted: readonly Planted[], texts: readonly string[]): Found[] {
  return planted.flatMap(({ what, text }) => {
    const wanted = forms(text);
    const where = texts.find((each) => wanted.some((form) => each.includes(form)));
    return where === undefined ? [] : [{ what, where: where.slice(0, 500) }];
  });
}
