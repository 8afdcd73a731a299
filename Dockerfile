# A small image: docs/operations.md, "Running as a service".
ARG NODE=22-bookworm-slim

FROM node:${NODE} AS build
WORKDIR /encke
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json main.ts ./
COPY src ./src
COPY workers ./workers
RUN npx tsc -p . && npm prune --omit=dev && find dist node_modules -name '*.map' -delete

FROM node:${NODE}
# Nothing of the package manager: the image starts node and nothing else.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /opt/yarn* \
    && install -d -o node -g node -m 700 /data
WORKDIR /encke
COPY --from=build /encke/package.json ./
COPY --from=build /encke/node_modules ./node_modules
COPY --from=build /encke/dist ./dist
ENV NODE_ENV=production ENCKE_HOST=0.0.0.0 ENCKE_DATA=/data
USER node
VOLUME /data
EXPOSE 3101 3102 3103 3104 3111
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.ENCKE_ADMIN_PORT ?? 3111) + '/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
