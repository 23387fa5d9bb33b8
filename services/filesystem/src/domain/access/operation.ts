/** What grants are about. `list` is the names in a directory, `publish` making a run's writes seen by others. */
export const operations = ['read', 'write', 'delete', 'list', 'publish'] as const;

export type Operation = (typeof operations)[number];
