# First process of the node's namespaces: what it makes is seen only here, and all of it ends with it.
# Usage: namespaces.sh ADDRESS READY_FILE
set -eu
mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/lock
# A kubelet and a proxy set these for the whole machine; here they set copies.
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops; do
  copy=/run/sysctl-${name##*/}
  cat /proc/sys/$name > "$copy"
  mount --bind "$copy" /proc/sys/$name
done
ip link set lo up
ip link add uplink type veth peer name outside
ip address add "$1/24" dev uplink
ip link set uplink up
ip link set outside up
ip route add default via "${1%.*}.1" dev uplink
for name in ip_forward conf/all/rp_filter conf/default/rp_filter; do
  case $name in ip_forward) value=1 ;; *) value=0 ;; esac
  echo $value > /proc/sys/net/ipv4/$name
done
hostname node
touch "$2"
trap 'exit 0' TERM
# The first process also reaps what loses its parent; the shell does so while it waits.
while :; do sleep 3600 & wait $!; done
