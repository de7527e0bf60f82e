/** Conditional requests (RFC 9110, section 13): entity tags in and out. */
import { ValidationFailed } from '../../../machines/shared/failure.ts';

const TAG = /\s*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"|([^\s",]+))\s*(?:,|$)/gy;

/** An entity tag: its opaque text, and whether it is weak. */
interface Tag {
  text: string;
  weak: boolean;
}

/** The tags of a header; undefined when it is not a list of tags. Tags without quotes are accepted too. */
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
 * Whether `If-None-Match` names the current tag (weak comparison), so that the answer is 304. `Cache-Control: no-cache`
 * does not disable this: clients that revalidate send both.
 */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return parseTags(ifNoneMatch)?.some((tag) => tag.text === etag) ?? false;
}

/**
 * The opaque texts of `If-Match`, `['*']` for any; undefined without the header. The comparison is strong, so a weak
 * tag is returned as `W/"…"`, which equals none of our tags.
 * @throws ValidationFailed when the header is malformed: a condition must never be skipped
 */
export function readIfMatch(header: string | undefined): string[] | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return ['*'];
  const tags = parseTags(header);
  if (!tags) {
    const message = 'If-Match must be an ETag in double quotes, as received in an earlier answer, or *';
    throw ValidationFailed.of([{ field: 'If-Match', type: 'etag', message }]);
  }
  return tags.map((tag) => (tag.weak ? `W/"${tag.text}"` : tag.text));
}
