/** Above 1023 and yet not of the web: those that browsers block (WHATWG Fetch, "bad port"). */
const blockedByBrowsers = [
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
];
/** Databases, caches and consoles whose protocols take a line of text for a command. */
const ofOtherServers = [1433, 1521, 2375, 2376, 3306, 3389, 5432, 5900, 6379, 11_211, 27_017];
const blocked = new Set([...blockedByBrowsers, ...ofOtherServers]);

/**
 * Whether a port may be reached without the operator naming it: 80, 443, and those above 1023 on which people run web
 * servers. An HTTP request to a server of another protocol could be understood by it as commands.
 */
export function isWebPort(port: number): boolean {
  return port === 80 || port === 443 || (port > 1023 && !blocked.has(port));
}
