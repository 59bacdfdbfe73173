/* A local bus that other processes come to: what they may hear and say, and what is told when they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "bus/bus_inside.h"
#include "bus/frames.h"

static const char *const may_say[] = {"r/%u/answer", "r/%u/status", NULL};
static const char *const may_hear[] = {"r/%u/task", "r/all", NULL};

struct scene {
	uv_loop_t loop;
	char folder[40], path[80];
	struct bus *hub;
	struct bus_door_options options;
	struct bus_door *door;
	char heard[1000]; /* by the hub */
};

struct guest {
	struct bus *bus;
	bool connected;
	unsigned connections;
	char why[200], heard[400];
};

static void note(char *text, size_t size, const char *topic, const char *payload, size_t length)
{
	size_t used = strlen(text);
	snprintf(text + used, size - used, "%s=%.*s;", topic, (int)length, payload);
}

static void hub_hears(void *context, const char *topic, const char *payload, size_t length)
{
	struct scene *scene = context;
	note(scene->heard, sizeof(scene->heard), topic, payload, length);
}

static void guest_hears(void *context, const char *topic, const char *payload, size_t length)
{
	struct guest *guest = context;
	note(guest->heard, sizeof(guest->heard), topic, payload, length);
}

static void on_presence(void *context, bool connected, const char *why)
{
	struct guest *guest = context;
	guest->connected = connected;
	guest->connections += connected;
	if (why)
		snprintf(guest->why, sizeof(guest->why), "%s", why);
}

static void open_door(struct scene *scene)
{
	struct error error = {0};
	scene->door = bus_door_open(&scene->loop, scene->hub, &scene->options, &error);
	assert_non_null(scene->door);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	snprintf(scene->folder, sizeof(scene->folder), "/tmp/retour-door-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->path, sizeof(scene->path), "%s/socket", scene->folder);
	uv_loop_init(&scene->loop);
	scene->hub = bus_new_local(&scene->loop);
	scene->options =
		(struct bus_door_options){.path = scene->path, .own = "here", .may_say = may_say, .may_hear = may_hear};
	open_door(scene);
	assert_int_equal(bus_subscribe(scene->hub, "r/+/answer", hub_hears, scene), 0);
	assert_int_equal(bus_subscribe(scene->hub, "r/+/status", hub_hears, scene), 0);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	bus_door_close(scene->door);
	bus_free(scene->hub, NULL, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	rmdir(scene->folder);
	free(scene);
	return 0;
}

/* As `name`, with a subscription and a will. */
static void come(struct scene *scene, struct guest *guest, const char *name)
{
	struct error error = {0};
	char task[60], status[60];
	snprintf(task, sizeof(task), "r/%s/task", name);
	snprintf(status, sizeof(status), "r/%s/status", name);
	*guest = (struct guest){0};
	guest->bus = bus_new_socket(&scene->loop,
		&(struct bus_socket_options){.path = scene->path, .name = name, .will_topic = status, .will_payload = "gone",
			.presence = on_presence, .context = guest},
		&error);
	assert_non_null(guest->bus);
	assert_int_equal(bus_subscribe(guest->bus, task, guest_hears, guest), 0);
}

/* Turns of the loop until it is true, ten seconds at most. */
#define AWAIT(scene, condition)                                                                              \
	do {                                                                                                 \
		for (int i = 0; i < 10000 && !(condition); i++) {                                            \
			uv_run(&(scene)->loop, UV_RUN_NOWAIT);                                               \
			usleep(1000);                                                                        \
		}                                                                                            \
		assert_true(condition);                                                                      \
	} while (0)

static void test_there_and_back(void **state)
{
	struct scene *scene = *state;
	struct guest vp;
	/* kept: also for who comes later */
	assert_int_equal(bus_publish(scene->hub, "r/vp/task", "early", 5, true), 0);
	assert_int_equal(bus_publish(scene->hub, "r/other/task", "not yours", 9, true), 0);
	come(scene, &vp, "vp");
	assert_int_equal(bus_publish(vp.bus, "r/vp/status", "here", 4, true), 0);
	AWAIT(scene, strstr(scene->heard, "r/vp/status=here;") && strstr(vp.heard, "r/vp/task=early;"));
	assert_int_equal(bus_publish(scene->hub, "r/vp/task", "a task", 6, false), 0);
	AWAIT(scene, strstr(vp.heard, "r/vp/task=a task;"));
	assert_null(strstr(vp.heard, "not yours"));
	bus_free(vp.bus, NULL, NULL);
	AWAIT(scene, strstr(scene->heard, "r/vp/status=gone;"));
}

static void test_rights(void **state)
{
	struct scene *scene = *state;
	struct guest liar, listener;
	come(scene, &liar, "liar");
	assert_int_equal(bus_publish(liar.bus, "r/honest/answer", "lie", 3, false), 0);
	AWAIT(scene, strstr(liar.why, "may not say"));
	come(scene, &listener, "listener");
	assert_int_equal(bus_subscribe(listener.bus, "r/honest/task", guest_hears, &listener), 0);
	AWAIT(scene, strstr(listener.why, "may not hear"));
	assert_null(strstr(scene->heard, "lie;"));
	bus_free(liar.bus, NULL, NULL);
	bus_free(listener.bus, NULL, NULL);
}

static void test_names(void **state)
{
	struct scene *scene = *state;
	struct guest first, second, own, odd;
	come(scene, &first, "vp");
	AWAIT(scene, first.connected);
	come(scene, &second, "vp");
	come(scene, &own, "here");
	come(scene, &odd, "+");
	AWAIT(scene, strstr(second.why, "already") && strstr(own.why, "already") && strstr(odd.why, "no name"));
	assert_true(first.connected);
	/* It comes when the other one has gone. */
	bus_free(first.bus, NULL, NULL);
	AWAIT(scene, second.connected);
	bus_free(second.bus, NULL, NULL);
	bus_free(own.bus, NULL, NULL);
	bus_free(odd.bus, NULL, NULL);
}

static void test_comes_again(void **state)
{
	struct scene *scene = *state;
	struct guest vp;
	come(scene, &vp, "vp");
	AWAIT(scene, vp.connected);
	bus_door_close(scene->door);
	AWAIT(scene, !vp.connected);
	assert_int_equal(bus_publish(vp.bus, "r/vp/answer", "meanwhile", 9, false), 0);
	open_door(scene);
	AWAIT(scene, strstr(scene->heard, "r/vp/answer=meanwhile;"));
	assert_int_equal(vp.connections, 2);
	assert_int_equal(bus_publish(scene->hub, "r/vp/task", "again", 5, false), 0);
	AWAIT(scene, strstr(vp.heard, "r/vp/task=again;"));
	bus_free(vp.bus, NULL, NULL);
}

/* The socket is its owner's; what is no frame ends the connection, and nobody else's. */
static void test_nonsense(void **state)
{
	struct scene *scene = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	struct guest vp;
	char reply[200];
	static const char *const nonsense[] = {"", "n", "nonsense without an end", "p\0"};
	come(scene, &vp, "vp");
	AWAIT(scene, vp.connected);
	assert_int_equal(stat(scene->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", scene->path);
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_true(send(fd, nonsense[i], i == 3 ? 2 : strlen(nonsense[i]), 0) >= 0);
		if (i == 0) /* an empty one is as if nobody were there any more */
			shutdown(fd, SHUT_WR);
		ssize_t got = -1;
		for (int turns = 0; turns < 10000 && got != 0; turns++) {
			uv_run(&scene->loop, UV_RUN_NOWAIT);
			usleep(100);
			got = recv(fd, reply, sizeof(reply), 0);
		}
		assert_int_equal(got, 0);
		close(fd);
	}
	assert_true(vp.connected);
	bus_free(vp.bus, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comes_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nonsense, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
