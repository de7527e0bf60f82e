# syntax=docker/dockerfile:1
# One image for all services; SERVICES selects those that a container runs.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages are needed: they include the binaries of esbuild, which tsx loads, and of the embedded PostgreSQL.
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json moleculer.config.ts ./
COPY machines ./machines
COPY mixins ./mixins
COPY services ./services
# The embedded database of a container without DATABASE_URL.
RUN mkdir /data && chown node:node /data
ENV DATA_DIR=/data
VOLUME /data
# For the health check. This port needs no token, so it listens on loopback unless METRICS_HOST says otherwise.
ENV METRICS_PORT=9464 METRICS_HOST=127.0.0.1
USER node
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
  CMD ["node", "--max-semi-space-size=32", "--import", "tsx", "mixins/process/healthcheck.ts"]
# Node.js runs as PID 1, so that SIGTERM reaches it; it stops within 10 s.
STOPSIGNAL SIGTERM
CMD ["node", "--max-semi-space-size=32", "--import", "tsx", "node_modules/moleculer/bin/moleculer-runner.mjs", "-c", "moleculer.config.ts", "--mask", "**/*.service.ts", "services"]
