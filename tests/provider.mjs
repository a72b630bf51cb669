// A real OpenID Connect provider for a test: `node provider.mjs PORT`, with `oidc-provider` in the folder of node modules that NODE_PATH names.
// Clients are people here: what is their sub, and the roles that their tokens carry, stand in the table below. Each start makes new keys.
import { createRequire } from 'node:module';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.NODE_PATH + '/');
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  mia: { roles: ['agent'], alg: 'RS256' },
  ben: { roles: ['lead', 'king'], alg: 'ES256' },
  ada: { roles: ['admin'], alg: 'EdDSA' },
  sol: { roles: ['agent'], groups: ['security'], alg: 'PS256' },
  eve: { alg: 'RS256' },
};
const jwk = (kind, options, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID(),
});
const provider = new Provider(issuer, {
  jwks: {
    keys: [
      jwk('rsa', { modulusLength: 2048 }, 'RS256'), jwk('rsa', { modulusLength: 2048 }, 'PS256'),
      jwk('ec', { namedCurve: 'P-256' }, 'ES256'), jwk('ed25519', {}, 'EdDSA'),
    ],
  },
  clients: Object.keys(people).map((client_id) => ({
    client_id, client_secret: `${client_id}-secret`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
  })),
  ttl: { ClientCredentials: () => Number(process.env.TTL ?? 600) },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource, client) => ({
        scope: '', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: people[client.clientId].alg } },
      }),
    },
  },
  extraTokenClaims: (_context, token) => {
    const { alg, ...claims } = people[token.clientId];
    return claims;
  },
});
provider.listen(port, '127.0.0.1', () => console.log('ready'));
