import { defineEntity, p } from '@mikro-orm/core';

/** A row of `fs_views`. Times are milliseconds since 1970 UTC. */
export const ViewRecord = defineEntity({
  name: 'ViewRecord',
  tableName: 'fs_views',
  properties: {
    id: p.string().primary(),
    uid: p.string(),
    sessionId: p.string().fieldName('session_id'),
    /** JSON: the mounts as they were when the view was opened. */
    mounts: p.text(),
    /** JSON: pairs of a disk and its pin; null for a view without a layer. */
    pins: p.text().nullable(),
    createTimeMs: p.bigint('number').fieldName('create_time_ms'),
  },
});
