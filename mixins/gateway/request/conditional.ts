/** Conditional requests (RFC 9110, section 13): entity tags in and out. */
import { ValidationFailed } from '../../../machines/shared/failure.ts';

const TAG = /\s*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"|([^\s",]+))\s*(?:,|$)/gy;

/** A tag of a condition: its opaque text, and whether it is weak. */
interface Tag {
  text: string;
  weak: boolean;
}

/** The tags of a header; undefined when it is not a list of tags. Tags without quotes are taken too. */
function parseTags(header: string): Tag[] | undefined {
  const tags: Tag[] = [];
  TAG.lastIndex = 0;
  while (TAG.lastIndex < header.length) {
    const match = TAG.exec(header);
    if (!match) return undefined;
    tags.push({ text: match[2] ?? (match[3] as string), weak: match[1] !== undefined });
  }
  return tags.length > 0 ? tags : undefined;
}

/**
 * True when `If-None-Match` names the present tag (weak comparison), so that 304 is the answer. `Cache-Control:
 * no-cache` does not turn that off: clients that revalidate send both.
 */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return parseTags(ifNoneMatch)?.some((tag) => tag.text === etag) ?? false;
}

/**
 * The opaque texts of `If-Match`, `['*']` for any; undefined without the header. The comparison is strong, so a weak
 * tag is answered as `W/"…"`, which no tag of ours equals.
 * @throws ValidationFailed when the header cannot be read: a condition must never be skipped
 */
export function readIfMatch(header: string | undefined): string[] | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return ['*'];
  const tags = parseTags(header);
  if (!tags) {
    const message = 'Give the ETag of the answer that was read, in double quotes, or *';
    throw ValidationFailed.of([{ field: 'If-Match', type: 'etag', message }]);
  }
  return tags.map((tag) => (tag.weak ? `W/"${tag.text}"` : tag.text));
}
