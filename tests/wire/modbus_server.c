/* A Modbus server on libmodbus, which nobody of Tidewatt wrote: the other end of the wire tests.

   modbus_server tcp PORT            on 127.0.0.1; libmodbus answers for any unit
   modbus_server rtu DEVICE UNIT     115200 bit/s, no parity, one stop bit

   Coils and discrete inputs 0 to 31, holding and input registers 100 to 149; holding registers begin as their own
   number, discrete inputs as odd and even. Ends when its stdin does. */

#include <errno.h>
#include <modbus/modbus.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *end_with_stdin(void *nothing) {
    char one;
    while (read(0, &one, 1) > 0) {
    }
    exit(0);
    return nothing;
}

int main(int arguments, char **given) {
    uint8_t question[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_mapping_t *map = modbus_mapping_new_start_address(0, 32, 0, 32, 100, 50, 100, 50);
    modbus_t *server;
    int listener = -1, rtu = arguments == 4 && strcmp(given[1], "rtu") == 0;
    pthread_t watch;
    if (!rtu && !(arguments == 3 && strcmp(given[1], "tcp") == 0)) return 2;
    for (int i = 0; i < 50; i++) {
        map->tab_registers[i] = 100 + i;
        modbus_set_float_abcd(i + 0.5f, &map->tab_input_registers[i - i % 2]);
    }
    for (int i = 0; i < 32; i++) map->tab_input_bits[i] = i % 2;
    server = rtu ? modbus_new_rtu(given[2], 115200, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", atoi(given[2]));
    if (server == NULL) return 1;
    if (rtu) modbus_set_slave(server, atoi(given[3]));
    if (rtu ? modbus_connect(server) < 0 : (listener = modbus_tcp_listen(server, 4)) < 0) {
        fprintf(stderr, "%s\n", modbus_strerror(errno));
        return 1;
    }
    pthread_create(&watch, NULL, end_with_stdin, NULL);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        if (!rtu && modbus_tcp_accept(server, &listener) < 0) continue;
        for (;;) {
            int size = modbus_receive(server, question);
            if (size > 0) modbus_reply(server, question, size, map);
            if (size < 0 && !rtu) break;
        }
        if (!rtu) close(modbus_get_socket(server));
    }
}
