/** Credentials for a registry, as the engine's API takes them. Field names are Docker's. */
export type RegistryAuth = { readonly serveraddress: string } & (
  | { readonly username: string; readonly password: string }
  | { readonly identitytoken: string }
  | { readonly registrytoken: string }
);

/**
 * Encodes credentials for the header `X-Registry-Auth`: base64 for URLs with padding. Without the padding, Docker 20.10
 * ignores the header.
 */
export function encodeRegistryAuth(auth: RegistryAuth): string {
  return Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
