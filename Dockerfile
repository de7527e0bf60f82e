# syntax=docker/dockerfile:1
# One image for every service; SERVICES says which of them a container runs.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are needed: among them are the binaries of esbuild, which tsx loads, and of the embedded PostgreSQL.
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json moleculer.config.ts ./
COPY machines ./machines
COPY mixins ./mixins
COPY services ./services
# The embedded database of a container that is given no DATABASE_URL.
RUN mkdir /data && chown node:node /data
ENV DATA_DIR=/data
VOLUME /data
# The health check asks here. Metrics need no token here, so METRICS_HOST opens it to a network only when you say so.
ENV METRICS_PORT=9464 METRICS_HOST=127.0.0.1
USER node
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
  CMD ["node", "--max-semi-space-size=32", "--import", "tsx", "mixins/process/healthcheck.ts"]
# Node itself is the first process, so that SIGTERM reaches it; it stops within 10 s.
STOPSIGNAL SIGTERM
CMD ["node", "--max-semi-space-size=32", "--import", "tsx", "node_modules/moleculer/bin/moleculer-runner.mjs", "-c", "moleculer.config.ts", "--mask", "**/*.service.ts", "services"]
