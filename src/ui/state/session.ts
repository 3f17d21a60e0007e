/** Who uses the page. */

export type Session =
  | { readonly state: 'unknown' }
  /** Nobody has signed in. */
  | { readonly state: 'none' }
  | {
      readonly state: 'open';
      readonly name: string;
      readonly role: 'viewer' | 'operator';
      /** False if the scheduler has no users: everybody is an operator. */
      readonly canSignOut: boolean;
    };
