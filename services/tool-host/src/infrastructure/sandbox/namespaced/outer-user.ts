/** For the host, the user that commands run as; undefined = the one that this process runs as. */
export interface OuterUser {
  readonly uid: number;
  readonly gid: number;
}
