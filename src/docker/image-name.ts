/**
 * Splits an image's name into the parameters of the pull call: the repository, and a tag or digest. The default tag is
 * `latest`, since Docker would otherwise pull all tags. `name:tag@digest` keeps only the digest.
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
