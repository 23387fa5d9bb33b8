/** The databases of the services that have one. */
export const databaseNames = {
  session: 'spanwise_session',
  'tool-host': 'spanwise_tool_host',
  filesystem: 'spanwise_filesystem',
} as const;

/** Who the services are to the database: no administrator, so that the server can be set read-only for them. */
export const databaseUser = 'spanwise';
