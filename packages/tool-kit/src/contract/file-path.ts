/** Where a run works: relative paths begin here. */
export const workspacePath = '/workspace';

/**
 * The absolute path that a model means: relative ones begin at the workspace, `.` and `..` are resolved and never lead
 * above `/`. NFC, as the file service wants it. Whether it is allowed is for the file service to say.
 */
export function resolvePath(text: string): string {
  const absolute = text.startsWith('/') ? text : `${workspacePath}/${text}`;
  const segments: string[] = [];
  for (const segment of absolute.normalize('NFC').split('/')) {
    if (segment === '..') {
      segments.pop();
    } else if (segment !== '' && segment !== '.') {
      segments.push(segment);
    }
  }
  return `/${segments.join('/')}`;
}
