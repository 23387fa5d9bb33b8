import { htmlToMarkdown } from 'mdream';
import { decodeText, decodeUtf8 } from './decode-text.ts';

/** What a model wants of a page: HTML as Markdown or as plain text, or all of it as it is. */
export type PageFormat = 'markdown' | 'text' | 'raw';

export interface WebPage {
  /** Media type in lower case, without parameters; `unknown` when there is none that is well-formed. */
  readonly type: string;
  /** Undefined when it is no text. */
  readonly text: string | undefined;
}

export interface WebBody {
  readonly url: string;
  /** The header, as it came. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Makes of a body of the web what a model can read. */
export function readPage({ url, contentType, body }: WebBody, format: PageFormat): WebPage {
  const type = /^\s*([\w.+-]{1,60}\/[\w.+-]{1,80})\s*(?:;|$)/u.exec(contentType)?.[1]?.toLowerCase() ?? 'unknown';
  const text = isUntold(type) ? decodeUtf8(body) : isTextual(type) ? decodeText(body, contentType) : undefined;
  if (text === undefined || format === 'raw' || !isHtml(type, text)) {
    return { type, text };
  }
  return { type, text: format === 'text' ? textOf(text) : markdownOf(text, url) };
}

/** What many servers say of everything that they do not know. */
function isUntold(type: string): boolean {
  return type === 'unknown' || type === 'application/octet-stream' || type === 'binary/octet-stream';
}

const textualTypes =
  /^text\/|[/+](?:json|json5|xml|yaml|toml)$|^application\/(?:x-)?(?:javascript|ecmascript|typescript|ndjson|jsonl|json-seq|yaml|sh|sql|graphql|httpd-php|tex|www-form-urlencoded|mpegurl|subrip)$/u;

function isTextual(type: string): boolean {
  return textualTypes.test(type);
}

function isHtml(type: string, text: string): boolean {
  return (
    type === 'text/html' ||
    type === 'application/xhtml+xml' ||
    (isUntold(type) && /^\s*(?:<!doctype html|<html)/iu.test(text))
  );
}

/** Shorter than this a main part is looked at twice. */
const doubtfulChars = 500;

/**
 * The main part of a page as Markdown, with whole addresses; all of the page where the main part is empty, or next to
 * nothing: some pages are one form, or mark nothing as their main part.
 */
function markdownOf(html: string, url: string): string {
  const options = { origin: baseOf(html, url), clean: true } as const;
  const main = tidy(htmlToMarkdown(html, { ...options, minimal: true }));
  const words = main.replace(/^---\n[\s\S]*?\n---(?:\n|$)/u, '').trim();
  if (words.length >= doubtfulChars) {
    return main;
  }
  const whole = tidy(htmlToMarkdown(html, options));
  return whole.length > 2 * words.length ? whole : main;
}

function textOf(html: string): string {
  return htmlToMarkdown(html, { format: 'text', clean: true }).trim();
}

/** What the addresses of a page are relative to. */
function baseOf(html: string, url: string): string {
  const href = /<base\s[^>]{0,200}?href\s*=\s*["']?([^"'\s>]{1,2000})/iu.exec(html.slice(0, 10_000))?.[1];
  return (href === undefined ? undefined : URL.parse(href, url)?.href) ?? url;
}

/** Images that are in the page itself are of no use as text. */
function tidy(markdown: string): string {
  return markdown.replaceAll(/\]\(data:[^)\s]{64,}\)/gu, '](data:…)').trim();
}
