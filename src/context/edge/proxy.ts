/** The proxies that the environment names, as for curl: `http_proxy`, `https_proxy` and `no_proxy`, also in capitals. */

/** A proxy is never asked for this machine itself. */
const HERE = ['localhost', '127.0.0.0-127.255.255.255', '::1', '[::1]'];

/** @returns the part of the environment that Node's agents read */
export function proxyEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY } = environment;
  const except = no_proxy || NO_PROXY;
  return {
    http_proxy: http_proxy || HTTP_PROXY,
    https_proxy: https_proxy || HTTPS_PROXY,
    no_proxy: [...HERE, ...(except ? [except] : [])].join(','),
  };
}
