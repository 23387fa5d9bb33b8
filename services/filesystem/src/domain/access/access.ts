import { AccessRules } from './grants.ts';
import { ProtectedNames } from './protected-names.ts';

/** What the configuration says about who may do what. Protected names are looked at before grants. */
export interface Access {
  readonly grants: AccessRules;
  readonly protectedNames: ProtectedNames;
}

/** Everything is allowed, nothing is protected. */
export const openAccess: Access = { grants: AccessRules.none, protectedNames: ProtectedNames.none };
