FROM scratch
COPY bootstrap /var/runtime/bootstrap
