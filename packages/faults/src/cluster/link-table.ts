import { type Backend, TcpLink } from '../links/tcp-link.ts';

/** All links of a cluster by name, for example `session-0→runtime`. */
export class LinkTable implements AsyncDisposable {
  readonly #links = new Map<string, TcpLink>();

  async add(name: string, backends: readonly Backend[]): Promise<TcpLink> {
    const link = await new TcpLink(name, backends).listen();
    this.#links.set(name, link);
    return link;
  }

  /** The links whose name matches, for example all that lead to the database with `/→database/`. */
  matching(pattern: RegExp): readonly TcpLink[] {
    return [...this.#links.values()].filter(({ name }) => pattern.test(name));
  }

  healAll(): void {
    this.#links.forEach((link) => link.heal());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()));
  }
}
