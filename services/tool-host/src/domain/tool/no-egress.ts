import { DomainError } from '@spanwise/kernel';
import type { Egress } from '@spanwise/tool-kit/contract';

/** No web at all. */
export const noEgress: Egress = {
  fetch: () => Promise.reject(new DomainError('denied', 'EGRESS_REFUSED', 'There is no way to the web from here.')),
};
