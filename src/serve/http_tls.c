/* Certificate and key of HTTPS, and what happens when there are new ones.
 *
 * libmicrohttpd takes a certificate at its start only. So for a new one a second daemon of it is started on
 * the same listening socket; the first takes no more connections, serves those that it has, and ends with the
 * last of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/http_inside.h"

#define PEM_BYTES_MAX 65536
#define LOOK_TURNS    10 /* of the sweep: how often the files are looked at */

/* The whole file as text. */
static int read_pem(const char *name, char **text, struct error *error)
{
	FILE *file = fopen(name, "re");
	if (!file)
		return error_set(error, -errno, "cannot open %s: %s", name, strerror(errno));
	*text = calloc(1, PEM_BYTES_MAX + 1);
	size_t length = *text ? fread(*text, 1, PEM_BYTES_MAX, file) : 0;
	int code = ferror(file) ? -EIO : 0;
	fclose(file);
	if (!*text)
		return error_set(error, -ENOMEM, "out of memory");
	if (code < 0 || length == 0 || length == PEM_BYTES_MAX || !strstr(*text, "-----BEGIN "))
		return error_set(error, -EINVAL, "%s: expected a file in PEM form", name);
	return 0;
}

static void look_at(const char *name, struct tls_file *seen)
{
	struct stat status;
	*seen = (struct tls_file){0};
	if (stat(name, &status) == 0)
		*seen = (struct tls_file){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

static void look(const struct httpd *httpd, struct tls_file seen[static 2])
{
	look_at(httpd->config.certificate_file, &seen[0]);
	look_at(httpd->config.key_file, &seen[1]);
}

static bool same(const struct tls_file a[static 2], const struct tls_file b[static 2])
{
	for (size_t i = 0; i < 2; i++)
		if (a[i].device != b[i].device || a[i].inode != b[i].inode || a[i].size != b[i].size ||
			a[i].changed.tv_sec != b[i].changed.tv_sec ||
			a[i].changed.tv_nsec != b[i].changed.tv_nsec)
			return false;
	return true;
}

int httpd_tls_read(struct httpd *httpd, struct error *error)
{
	struct httpd_tls *tls = &httpd->tls;
	if (!httpd->config.certificate_file)
		return 0;
	look(httpd, tls->used);
	memcpy(tls->last, tls->used, sizeof(tls->last));
	int code = read_pem(httpd->config.certificate_file, &tls->certificate, error);
	return code < 0 ? code : read_pem(httpd->config.key_file, &tls->key, error);
}

void httpd_tls_forget(struct httpd *httpd)
{
	struct httpd_tls *tls = &httpd->tls;
	if (tls->key)
		explicit_bzero(tls->key, strlen(tls->key));
	free(tls->key);
	free(tls->certificate);
	tls->key = tls->certificate = NULL;
}

/* ---- new ones */

static int renew(struct httpd *httpd, struct listener *old, struct error *error)
{
	const struct mhd *mhd = &httpd->mhd;
	int fd = fcntl(
		mhd->daemon_info(old->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "cannot listen with it: %s", strerror(errno));
	int code = httpd_listen(httpd, fd, error);
	if (code < 0) {
		close(fd);
		return code;
	}
	old->retired = true;
	int unused = mhd->quiesce(old->daemon);
	if (unused >= 0)
		close(unused);
	return 0;
}

/* Streams of the certificate before the last one end: their clients ask again and go on. */
static void end_old_streams(struct httpd *httpd)
{
	for (struct httpd_exchange *exchange = httpd->exchanges; exchange; exchange = exchange->next)
		if (exchange->listener->retired)
			httpd_end(exchange);
}

static int renew_all(struct httpd *httpd, struct error *error)
{
	struct listener *before = httpd->listeners;
	int code = httpd_tls_read(httpd, error);
	end_old_streams(httpd);
	for (struct listener *listener = before; listener && code == 0; listener = listener->next)
		if (!listener->retired)
			code = renew(httpd, listener, error);
	httpd_tls_forget(httpd);
	return code;
}

void httpd_reload(struct httpd *httpd)
{
	struct error error = {0};
	char text[700];
	if (!httpd->config.certificate_file)
		return;
	if (renew_all(httpd, &error) < 0)
		snprintf(text, sizeof(text), "the certificate that was there stays in use: %s", error.text);
	else
		snprintf(text, sizeof(text), "%s is in use as it is now", httpd->config.certificate_file);
	if (httpd->config.note)
		httpd->config.note(text);
}

/* Two files are not replaced at once: what has changed is taken when it has stayed the same from one look to
 * the next. */
void httpd_tls_sweep(struct httpd *httpd)
{
	struct httpd_tls *tls = &httpd->tls;
	struct tls_file now[2];
	if (!httpd->config.certificate_file || ++tls->turns < LOOK_TURNS)
		return;
	tls->turns = 0;
	look(httpd, now);
	bool settled = same(now, tls->last);
	memcpy(tls->last, now, sizeof(tls->last));
	if (settled && !same(now, tls->used))
		httpd_reload(httpd);
}
