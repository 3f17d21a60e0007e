/**
 * Splits an image's name into what the pull call takes: the repository, and a tag or digest. Without either the
 * tag is `latest`, since the engine would pull every tag there is. `name:tag@digest` keeps the digest alone.
 */
export function splitImageName(image: string): { repository: string; tag: string } {
  const digest = image.indexOf('@');
  if (digest >= 0) {
    return { repository: splitImageName(image.slice(0, digest)).repository, tag: image.slice(digest + 1) };
  }
  const colon = image.lastIndexOf(':');
  // A colon before a slash belongs to a registry's port.
  if (colon < 0 || image.indexOf('/', colon) >= 0) return { repository: image, tag: 'latest' };
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}
