/** Who uses the page. */

export type Session =
  | { readonly state: 'unknown' }
  /** Nobody has signed in. `signedOut`: the last user has signed out, instead of losing the session. */
  | { readonly state: 'none'; readonly signedOut?: true }
  | {
      readonly state: 'open';
      readonly name: string;
      readonly role: 'viewer' | 'operator';
      /** False if the scheduler has no users: everybody is an operator. */
      readonly canSignOut: boolean;
    };
