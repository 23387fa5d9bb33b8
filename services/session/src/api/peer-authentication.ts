import { SessionPeerService } from '@spanwise/contracts/spanwise/session/v1/peer';
import { type Authenticate, unauthenticated } from '@spanwise/service-kit';
import { peerProofHeader } from '../application/ports/peers.ts';

/**
 * SessionPeerService is for replicas: it wants their proof, and neither takes nor needs a user. What else the server
 * serves is authenticated by `users`, to whom the proof means nothing. Throws UNAUTHENTICATED.
 */
export function authenticatePeers(verifies: (proof: string) => boolean, users: Authenticate): Authenticate {
  return (headers, service) => {
    if (service !== SessionPeerService.typeName) {
      return users(headers, service);
    }
    if (!verifies(headers.get(peerProofHeader) ?? '')) {
      throw unauthenticated();
    }
    return undefined;
  };
}
