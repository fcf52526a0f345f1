from __future__ import annotations

from pkgutil import extend_path
__path__ = extend_path(__path__, __name__)

import abc
import builtins
import datetime
import enum
import typing

import jsii
import publication
import typing_extensions

from jsii._type_checking import cached_type_hints, check_type


from ._jsii import *

class _LazyImport:
    def __init__(self, module_name: str) -> None:
        self._module_name = module_name
        self._module: typing.Any = None
    def __getattr__(self, name: str) -> typing.Any:
        if self._module is None:
            import importlib
            self._module = importlib.import_module(self._module_name)
        return getattr(self._module, name)

if typing.TYPE_CHECKING:

    import cdk8s as _cdk8s_d3d9af27
    import constructs as _constructs_77d1e7e8
else:

    _cdk8s_d3d9af27 = _LazyImport("cdk8s")
    _constructs_77d1e7e8 = _LazyImport("constructs")


class Database(
    _cdk8s_d3d9af27.ApiObject,
    metaclass=jsii.JSIIMeta,
    jsii_type="iocnpgpostgresql.Database",
):
    '''
    :schema: Database
    '''

    def __init__(
        self,
        scope: "_constructs_77d1e7e8.Construct",
        id: builtins.str,
        *,
        spec: typing.Union["DatabaseSpec", typing.Dict[builtins.str, typing.Any]],
        metadata: typing.Optional[typing.Union["_cdk8s_d3d9af27.ApiObjectMetadata", typing.Dict[builtins.str, typing.Any]]] = None,
    ) -> None:
        '''Defines a "Database" API object.

        :param scope: the scope in which to define this object.
        :param id: a scope-local name for the object.
        :param spec: 
        :param metadata: 
        '''
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__12efa6a3b7dfc456c05d54b4a04238d4a13b49c54c80b003db931926fb9af4af)
            check_type(argname="argument scope", value=scope, expected_type=type_hints["scope"])
            check_type(argname="argument id", value=id, expected_type=type_hints["id"])
        props = DatabaseProps(spec=spec, metadata=metadata)

        jsii.create(self.__class__, self, [scope, id, props])

    @jsii.member(jsii_name="manifest")
    @builtins.classmethod
    def manifest(
        cls,
        *,
        spec: typing.Union["DatabaseSpec", typing.Dict[builtins.str, typing.Any]],
        metadata: typing.Optional[typing.Union["_cdk8s_d3d9af27.ApiObjectMetadata", typing.Dict[builtins.str, typing.Any]]] = None,
    ) -> typing.Any:
        '''Renders a Kubernetes manifest for "Database".

        This can be used to inline resource manifests inside other objects (e.g. as templates).

        :param spec: 
        :param metadata: 
        '''
        props = DatabaseProps(spec=spec, metadata=metadata)

        return typing.cast(typing.Any, jsii.sinvoke(cls, "manifest", [props]))

    @jsii.member(jsii_name="toJson")
    def to_json(self) -> typing.Any:
        '''Renders the object to Kubernetes JSON.'''
        return typing.cast(typing.Any, jsii.invoke(self, "toJson", []))

    @jsii.python.classproperty
    @jsii.member(jsii_name="GVK")
    def GVK(cls) -> "_cdk8s_d3d9af27.GroupVersionKind":
        '''Returns the apiVersion and kind for "Database".'''
        return typing.cast("_cdk8s_d3d9af27.GroupVersionKind", jsii.sget(cls, "GVK"))


@jsii.data_type(
    jsii_type="iocnpgpostgresql.DatabaseProps",
    jsii_struct_bases=[],
    name_mapping={"spec": "spec", "metadata": "metadata"},
)
class DatabaseProps:
    def __init__(
        self,
        *,
        spec: typing.Union["DatabaseSpec", typing.Dict[builtins.str, typing.Any]],
        metadata: typing.Optional[typing.Union["_cdk8s_d3d9af27.ApiObjectMetadata", typing.Dict[builtins.str, typing.Any]]] = None,
    ) -> None:
        '''
        :param spec: 
        :param metadata: 

        :schema: Database
        '''
        if isinstance(spec, dict):
            spec = DatabaseSpec(**spec)
        if isinstance(metadata, dict):
            metadata = _cdk8s_d3d9af27.ApiObjectMetadata(**metadata)
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__591f0ff2c00177a84186f61171171235aca3ae2a8a316f0a699d16b961813df6)
            check_type(argname="argument spec", value=spec, expected_type=type_hints["spec"])
            check_type(argname="argument metadata", value=metadata, expected_type=type_hints["metadata"])
        self._values: typing.Dict[builtins.str, typing.Any] = {
            "spec": spec,
        }
        if metadata is not None:
            self._values["metadata"] = metadata

    @builtins.property
    def spec(self) -> "DatabaseSpec":
        '''
        :schema: Database#spec
        '''
        result = self._values.get("spec")
        assert result is not None, "Required property 'spec' is missing"
        return typing.cast("DatabaseSpec", result)

    @builtins.property
    def metadata(self) -> typing.Optional["_cdk8s_d3d9af27.ApiObjectMetadata"]:
        '''
        :schema: Database#metadata
        '''
        result = self._values.get("metadata")
        return typing.cast(typing.Optional["_cdk8s_d3d9af27.ApiObjectMetadata"], result)

    def __eq__(self, rhs: typing.Any) -> builtins.bool:
        return isinstance(rhs, self.__class__) and rhs._values == self._values

    def __ne__(self, rhs: typing.Any) -> builtins.bool:
        return not (rhs == self)

    def __repr__(self) -> str:
        return "DatabaseProps(%s)" % ", ".join(
            k + "=" + repr(v) for k, v in self._values.items()
        )


class DatabaseRole(
    _cdk8s_d3d9af27.ApiObject,
    metaclass=jsii.JSIIMeta,
    jsii_type="iocnpgpostgresql.DatabaseRole",
):
    '''
    :schema: DatabaseRole
    '''

    def __init__(
        self,
        scope: "_constructs_77d1e7e8.Construct",
        id: builtins.str,
        *,
        spec: typing.Union["DatabaseRoleSpec", typing.Dict[builtins.str, typing.Any]],
        metadata: typing.Optional[typing.Union["_cdk8s_d3d9af27.ApiObjectMetadata", typing.Dict[builtins.str, typing.Any]]] = None,
    ) -> None:
        '''Defines a "DatabaseRole" API object.

        :param scope: the scope in which to define this object.
        :param id: a scope-local name for the object.
        :param spec: 
        :param metadata: 
        '''
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__bbc9b953da38f93f5dc2cf7bbdd0ba12f2f47edb9b6984969c7ebf92cfcaead6)
            check_type(argname="argument scope", value=scope, expected_type=type_hints["scope"])
            check_type(argname="argument id", value=id, expected_type=type_hints["id"])
        props = DatabaseRoleProps(spec=spec, metadata=metadata)

        jsii.create(self.__class__, self, [scope, id, props])

    @jsii.member(jsii_name="manifest")
    @builtins.classmethod
    def manifest(
        cls,
        *,
        spec: typing.Union["DatabaseRoleSpec", typing.Dict[builtins.str, typing.Any]],
        metadata: typing.Optional[typing.Union["_cdk8s_d3d9af27.ApiObjectMetadata", typing.Dict[builtins.str, typing.Any]]] = None,
    ) -> typing.Any:
        '''Renders a Kubernetes manifest for "DatabaseRole".

        This can be used to inline resource manifests inside other objects (e.g. as templates).

        :param spec: 
        :param metadata: 
        '''
        props = DatabaseRoleProps(spec=spec, metadata=metadata)

        return typing.cast(typing.Any, jsii.sinvoke(cls, "manifest", [props]))

    @jsii.member(jsii_name="toJson")
    def to_json(self) -> typing.Any:
        '''Renders the object to Kubernetes JSON.'''
        return typing.cast(typing.Any, jsii.invoke(self, "toJson", []))

    @jsii.python.classproperty
    @jsii.member(jsii_name="GVK")
    def GVK(cls) -> "_cdk8s_d3d9af27.GroupVersionKind":
        '''Returns the apiVersion and kind for "DatabaseRole".'''
        return typing.cast("_cdk8s_d3d9af27.GroupVersionKind", jsii.sget(cls, "GVK"))


@jsii.data_type(
    jsii_type="iocnpgpostgresql.DatabaseRoleProps",
    jsii_struct_bases=[],
    name_mapping={"spec": "spec", "metadata": "metadata"},
)
class DatabaseRoleProps:
    def __init__(
        self,
        *,
        spec: typing.Union["DatabaseRoleSpec", typing.Dict[builtins.str, typing.Any]],
        metadata: typing.Optional[typing.Union["_cdk8s_d3d9af27.ApiObjectMetadata", typing.Dict[builtins.str, typing.Any]]] = None,
    ) -> None:
        '''
        :param spec: 
        :param metadata: 

        :schema: DatabaseRole
        '''
        if isinstance(spec, dict):
            spec = DatabaseRoleSpec(**spec)
        if isinstance(metadata, dict):
            metadata = _cdk8s_d3d9af27.ApiObjectMetadata(**metadata)
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__59525282c28f58d91137b1856be4c5e7b6c84685515912d9757099a845d810b3)
            check_type(argname="argument spec", value=spec, expected_type=type_hints["spec"])
            check_type(argname="argument metadata", value=metadata, expected_type=type_hints["metadata"])
        self._values: typing.Dict[builtins.str, typing.Any] = {
            "spec": spec,
        }
        if metadata is not None:
            self._values["metadata"] = metadata

    @builtins.property
    def spec(self) -> "DatabaseRoleSpec":
        '''
        :schema: DatabaseRole#spec
        '''
        result = self._values.get("spec")
        assert result is not None, "Required property 'spec' is missing"
        return typing.cast("DatabaseRoleSpec", result)

    @builtins.property
    def metadata(self) -> typing.Optional["_cdk8s_d3d9af27.ApiObjectMetadata"]:
        '''
        :schema: DatabaseRole#metadata
        '''
        result = self._values.get("metadata")
        return typing.cast(typing.Optional["_cdk8s_d3d9af27.ApiObjectMetadata"], result)

    def __eq__(self, rhs: typing.Any) -> builtins.bool:
        return isinstance(rhs, self.__class__) and rhs._values == self._values

    def __ne__(self, rhs: typing.Any) -> builtins.bool:
        return not (rhs == self)

    def __repr__(self) -> str:
        return "DatabaseRoleProps(%s)" % ", ".join(
            k + "=" + repr(v) for k, v in self._values.items()
        )


@jsii.data_type(
    jsii_type="iocnpgpostgresql.DatabaseRoleSpec",
    jsii_struct_bases=[],
    name_mapping={
        "cluster": "cluster",
        "name": "name",
        "bypassrls": "bypassrls",
        "comment": "comment",
        "connection_limit": "connectionLimit",
        "createdb": "createdb",
        "createrole": "createrole",
        "database_role_reclaim_policy": "databaseRoleReclaimPolicy",
        "ensure": "ensure",
        "inherit": "inherit",
        "login": "login",
        "password_secret": "passwordSecret",
        "replication": "replication",
        "superuser": "superuser",
    },
)
class DatabaseRoleSpec:
    def __init__(
        self,
        *,
        cluster: typing.Union["DatabaseRoleSpecCluster", typing.Dict[builtins.str, typing.Any]],
        name: builtins.str,
        bypassrls: typing.Optional[builtins.bool] = None,
        comment: typing.Optional[builtins.str] = None,
        connection_limit: typing.Optional[jsii.Number] = None,
        createdb: typing.Optional[builtins.bool] = None,
        createrole: typing.Optional[builtins.bool] = None,
        database_role_reclaim_policy: typing.Optional["DatabaseRoleSpecDatabaseRoleReclaimPolicy"] = None,
        ensure: typing.Optional["DatabaseRoleSpecEnsure"] = None,
        inherit: typing.Optional[builtins.bool] = None,
        login: typing.Optional[builtins.bool] = None,
        password_secret: typing.Optional[typing.Union["DatabaseRoleSpecPasswordSecret", typing.Dict[builtins.str, typing.Any]]] = None,
        replication: typing.Optional[builtins.bool] = None,
        superuser: typing.Optional[builtins.bool] = None,
    ) -> None:
        '''
        :param cluster: 
        :param name: 
        :param bypassrls: 
        :param comment: 
        :param connection_limit: 
        :param createdb: 
        :param createrole: 
        :param database_role_reclaim_policy: 
        :param ensure: 
        :param inherit: 
        :param login: 
        :param password_secret: 
        :param replication: 
        :param superuser: 

        :schema: DatabaseRoleSpec
        '''
        if isinstance(cluster, dict):
            cluster = DatabaseRoleSpecCluster(**cluster)
        if isinstance(password_secret, dict):
            password_secret = DatabaseRoleSpecPasswordSecret(**password_secret)
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__36523bcabb7ee9edd3efd4ec5f84e860cb7b006ca7aaa4644849780957b1f59d)
            check_type(argname="argument cluster", value=cluster, expected_type=type_hints["cluster"])
            check_type(argname="argument name", value=name, expected_type=type_hints["name"])
            check_type(argname="argument bypassrls", value=bypassrls, expected_type=type_hints["bypassrls"])
            check_type(argname="argument comment", value=comment, expected_type=type_hints["comment"])
            check_type(argname="argument connection_limit", value=connection_limit, expected_type=type_hints["connection_limit"])
            check_type(argname="argument createdb", value=createdb, expected_type=type_hints["createdb"])
            check_type(argname="argument createrole", value=createrole, expected_type=type_hints["createrole"])
            check_type(argname="argument database_role_reclaim_policy", value=database_role_reclaim_policy, expected_type=type_hints["database_role_reclaim_policy"])
            check_type(argname="argument ensure", value=ensure, expected_type=type_hints["ensure"])
            check_type(argname="argument inherit", value=inherit, expected_type=type_hints["inherit"])
            check_type(argname="argument login", value=login, expected_type=type_hints["login"])
            check_type(argname="argument password_secret", value=password_secret, expected_type=type_hints["password_secret"])
            check_type(argname="argument replication", value=replication, expected_type=type_hints["replication"])
            check_type(argname="argument superuser", value=superuser, expected_type=type_hints["superuser"])
        self._values: typing.Dict[builtins.str, typing.Any] = {
            "cluster": cluster,
            "name": name,
        }
        if bypassrls is not None:
            self._values["bypassrls"] = bypassrls
        if comment is not None:
            self._values["comment"] = comment
        if connection_limit is not None:
            self._values["connection_limit"] = connection_limit
        if createdb is not None:
            self._values["createdb"] = createdb
        if createrole is not None:
            self._values["createrole"] = createrole
        if database_role_reclaim_policy is not None:
            self._values["database_role_reclaim_policy"] = database_role_reclaim_policy
        if ensure is not None:
            self._values["ensure"] = ensure
        if inherit is not None:
            self._values["inherit"] = inherit
        if login is not None:
            self._values["login"] = login
        if password_secret is not None:
            self._values["password_secret"] = password_secret
        if replication is not None:
            self._values["replication"] = replication
        if superuser is not None:
            self._values["superuser"] = superuser

    @builtins.property
    def cluster(self) -> "DatabaseRoleSpecCluster":
        '''
        :schema: DatabaseRoleSpec#cluster
        '''
        result = self._values.get("cluster")
        assert result is not None, "Required property 'cluster' is missing"
        return typing.cast("DatabaseRoleSpecCluster", result)

    @builtins.property
    def name(self) -> builtins.str:
        '''
        :schema: DatabaseRoleSpec#name
        '''
        result = self._values.get("name")
        assert result is not None, "Required property 'name' is missing"
        return typing.cast(builtins.str, result)

    @builtins.property
    def bypassrls(self) -> typing.Optional[builtins.bool]:
        '''
        :schema: DatabaseRoleSpec#bypassrls
        '''
        result = self._values.get("bypassrls")
        return typing.cast(typing.Optional[builtins.bool], result)

    @builtins.property
    def comment(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseRoleSpec#comment
        '''
        result = self._values.get("comment")
        return typing.cast(typing.Optional[builtins.str], result)

    @builtins.property
    def connection_limit(self) -> typing.Optional[jsii.Number]:
        '''
        :schema: DatabaseRoleSpec#connectionLimit
        '''
        result = self._values.get("connection_limit")
        return typing.cast(typing.Optional[jsii.Number], result)

    @builtins.property
    def createdb(self) -> typing.Optional[builtins.bool]:
        '''
        :schema: DatabaseRoleSpec#createdb
        '''
        result = self._values.get("createdb")
        return typing.cast(typing.Optional[builtins.bool], result)

    @builtins.property
    def createrole(self) -> typing.Optional[builtins.bool]:
        '''
        :schema: DatabaseRoleSpec#createrole
        '''
        result = self._values.get("createrole")
        return typing.cast(typing.Optional[builtins.bool], result)

    @builtins.property
    def database_role_reclaim_policy(
        self,
    ) -> typing.Optional["DatabaseRoleSpecDatabaseRoleReclaimPolicy"]:
        '''
        :schema: DatabaseRoleSpec#databaseRoleReclaimPolicy
        '''
        result = self._values.get("database_role_reclaim_policy")
        return typing.cast(typing.Optional["DatabaseRoleSpecDatabaseRoleReclaimPolicy"], result)

    @builtins.property
    def ensure(self) -> typing.Optional["DatabaseRoleSpecEnsure"]:
        '''
        :schema: DatabaseRoleSpec#ensure
        '''
        result = self._values.get("ensure")
        return typing.cast(typing.Optional["DatabaseRoleSpecEnsure"], result)

    @builtins.property
    def inherit(self) -> typing.Optional[builtins.bool]:
        '''
        :schema: DatabaseRoleSpec#inherit
        '''
        result = self._values.get("inherit")
        return typing.cast(typing.Optional[builtins.bool], result)

    @builtins.property
    def login(self) -> typing.Optional[builtins.bool]:
        '''
        :schema: DatabaseRoleSpec#login
        '''
        result = self._values.get("login")
        return typing.cast(typing.Optional[builtins.bool], result)

    @builtins.property
    def password_secret(self) -> typing.Optional["DatabaseRoleSpecPasswordSecret"]:
        '''
        :schema: DatabaseRoleSpec#passwordSecret
        '''
        result = self._values.get("password_secret")
        return typing.cast(typing.Optional["DatabaseRoleSpecPasswordSecret"], result)

    @builtins.property
    def replication(self) -> typing.Optional[builtins.bool]:
        '''
        :schema: DatabaseRoleSpec#replication
        '''
        result = self._values.get("replication")
        return typing.cast(typing.Optional[builtins.bool], result)

    @builtins.property
    def superuser(self) -> typing.Optional[builtins.bool]:
        '''
        :schema: DatabaseRoleSpec#superuser
        '''
        result = self._values.get("superuser")
        return typing.cast(typing.Optional[builtins.bool], result)

    def __eq__(self, rhs: typing.Any) -> builtins.bool:
        return isinstance(rhs, self.__class__) and rhs._values == self._values

    def __ne__(self, rhs: typing.Any) -> builtins.bool:
        return not (rhs == self)

    def __repr__(self) -> str:
        return "DatabaseRoleSpec(%s)" % ", ".join(
            k + "=" + repr(v) for k, v in self._values.items()
        )


@jsii.data_type(
    jsii_type="iocnpgpostgresql.DatabaseRoleSpecCluster",
    jsii_struct_bases=[],
    name_mapping={"name": "name"},
)
class DatabaseRoleSpecCluster:
    def __init__(self, *, name: typing.Optional[builtins.str] = None) -> None:
        '''
        :param name: 

        :schema: DatabaseRoleSpecCluster
        '''
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__f3cc76bd46378c09aed32348b3651b516b45b045a3b4e40319fbe312eb0b8ddb)
            check_type(argname="argument name", value=name, expected_type=type_hints["name"])
        self._values: typing.Dict[builtins.str, typing.Any] = {}
        if name is not None:
            self._values["name"] = name

    @builtins.property
    def name(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseRoleSpecCluster#name
        '''
        result = self._values.get("name")
        return typing.cast(typing.Optional[builtins.str], result)

    def __eq__(self, rhs: typing.Any) -> builtins.bool:
        return isinstance(rhs, self.__class__) and rhs._values == self._values

    def __ne__(self, rhs: typing.Any) -> builtins.bool:
        return not (rhs == self)

    def __repr__(self) -> str:
        return "DatabaseRoleSpecCluster(%s)" % ", ".join(
            k + "=" + repr(v) for k, v in self._values.items()
        )


@jsii.enum(jsii_type="iocnpgpostgresql.DatabaseRoleSpecDatabaseRoleReclaimPolicy")
class DatabaseRoleSpecDatabaseRoleReclaimPolicy(enum.Enum):
    '''
    :schema: DatabaseRoleSpecDatabaseRoleReclaimPolicy
    '''

    DELETE = "DELETE"
    '''delete.'''
    RETAIN = "RETAIN"
    '''retain.'''


@jsii.enum(jsii_type="iocnpgpostgresql.DatabaseRoleSpecEnsure")
class DatabaseRoleSpecEnsure(enum.Enum):
    '''
    :schema: DatabaseRoleSpecEnsure
    '''

    PRESENT = "PRESENT"
    '''present.'''
    ABSENT = "ABSENT"
    '''absent.'''


@jsii.data_type(
    jsii_type="iocnpgpostgresql.DatabaseRoleSpecPasswordSecret",
    jsii_struct_bases=[],
    name_mapping={"name": "name"},
)
class DatabaseRoleSpecPasswordSecret:
    def __init__(self, *, name: builtins.str) -> None:
        '''
        :param name: 

        :schema: DatabaseRoleSpecPasswordSecret
        '''
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__47f73f1b7db3bab89cbc7feb46655fc8648f95089ca10a95132f54eb64ccc25a)
            check_type(argname="argument name", value=name, expected_type=type_hints["name"])
        self._values: typing.Dict[builtins.str, typing.Any] = {
            "name": name,
        }

    @builtins.property
    def name(self) -> builtins.str:
        '''
        :schema: DatabaseRoleSpecPasswordSecret#name
        '''
        result = self._values.get("name")
        assert result is not None, "Required property 'name' is missing"
        return typing.cast(builtins.str, result)

    def __eq__(self, rhs: typing.Any) -> builtins.bool:
        return isinstance(rhs, self.__class__) and rhs._values == self._values

    def __ne__(self, rhs: typing.Any) -> builtins.bool:
        return not (rhs == self)

    def __repr__(self) -> str:
        return "DatabaseRoleSpecPasswordSecret(%s)" % ", ".join(
            k + "=" + repr(v) for k, v in self._values.items()
        )


@jsii.data_type(
    jsii_type="iocnpgpostgresql.DatabaseSpec",
    jsii_struct_bases=[],
    name_mapping={
        "cluster": "cluster",
        "name": "name",
        "owner": "owner",
        "database_reclaim_policy": "databaseReclaimPolicy",
        "encoding": "encoding",
        "ensure": "ensure",
        "locale_collate": "localeCollate",
        "locale_c_type": "localeCType",
        "locale_provider": "localeProvider",
        "template": "template",
    },
)
class DatabaseSpec:
    def __init__(
        self,
        *,
        cluster: typing.Union["DatabaseSpecCluster", typing.Dict[builtins.str, typing.Any]],
        name: builtins.str,
        owner: builtins.str,
        database_reclaim_policy: typing.Optional["DatabaseSpecDatabaseReclaimPolicy"] = None,
        encoding: typing.Optional[builtins.str] = None,
        ensure: typing.Optional["DatabaseSpecEnsure"] = None,
        locale_collate: typing.Optional[builtins.str] = None,
        locale_c_type: typing.Optional[builtins.str] = None,
        locale_provider: typing.Optional[builtins.str] = None,
        template: typing.Optional[builtins.str] = None,
    ) -> None:
        '''
        :param cluster: 
        :param name: 
        :param owner: 
        :param database_reclaim_policy: 
        :param encoding: 
        :param ensure: 
        :param locale_collate: 
        :param locale_c_type: 
        :param locale_provider: 
        :param template: 

        :schema: DatabaseSpec
        '''
        if isinstance(cluster, dict):
            cluster = DatabaseSpecCluster(**cluster)
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__481af8f11e32a9e9791755d0ad285245bbacb0e6bcfd1399d9d5b27bea66aab8)
            check_type(argname="argument cluster", value=cluster, expected_type=type_hints["cluster"])
            check_type(argname="argument name", value=name, expected_type=type_hints["name"])
            check_type(argname="argument owner", value=owner, expected_type=type_hints["owner"])
            check_type(argname="argument database_reclaim_policy", value=database_reclaim_policy, expected_type=type_hints["database_reclaim_policy"])
            check_type(argname="argument encoding", value=encoding, expected_type=type_hints["encoding"])
            check_type(argname="argument ensure", value=ensure, expected_type=type_hints["ensure"])
            check_type(argname="argument locale_collate", value=locale_collate, expected_type=type_hints["locale_collate"])
            check_type(argname="argument locale_c_type", value=locale_c_type, expected_type=type_hints["locale_c_type"])
            check_type(argname="argument locale_provider", value=locale_provider, expected_type=type_hints["locale_provider"])
            check_type(argname="argument template", value=template, expected_type=type_hints["template"])
        self._values: typing.Dict[builtins.str, typing.Any] = {
            "cluster": cluster,
            "name": name,
            "owner": owner,
        }
        if database_reclaim_policy is not None:
            self._values["database_reclaim_policy"] = database_reclaim_policy
        if encoding is not None:
            self._values["encoding"] = encoding
        if ensure is not None:
            self._values["ensure"] = ensure
        if locale_collate is not None:
            self._values["locale_collate"] = locale_collate
        if locale_c_type is not None:
            self._values["locale_c_type"] = locale_c_type
        if locale_provider is not None:
            self._values["locale_provider"] = locale_provider
        if template is not None:
            self._values["template"] = template

    @builtins.property
    def cluster(self) -> "DatabaseSpecCluster":
        '''
        :schema: DatabaseSpec#cluster
        '''
        result = self._values.get("cluster")
        assert result is not None, "Required property 'cluster' is missing"
        return typing.cast("DatabaseSpecCluster", result)

    @builtins.property
    def name(self) -> builtins.str:
        '''
        :schema: DatabaseSpec#name
        '''
        result = self._values.get("name")
        assert result is not None, "Required property 'name' is missing"
        return typing.cast(builtins.str, result)

    @builtins.property
    def owner(self) -> builtins.str:
        '''
        :schema: DatabaseSpec#owner
        '''
        result = self._values.get("owner")
        assert result is not None, "Required property 'owner' is missing"
        return typing.cast(builtins.str, result)

    @builtins.property
    def database_reclaim_policy(
        self,
    ) -> typing.Optional["DatabaseSpecDatabaseReclaimPolicy"]:
        '''
        :schema: DatabaseSpec#databaseReclaimPolicy
        '''
        result = self._values.get("database_reclaim_policy")
        return typing.cast(typing.Optional["DatabaseSpecDatabaseReclaimPolicy"], result)

    @builtins.property
    def encoding(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseSpec#encoding
        '''
        result = self._values.get("encoding")
        return typing.cast(typing.Optional[builtins.str], result)

    @builtins.property
    def ensure(self) -> typing.Optional["DatabaseSpecEnsure"]:
        '''
        :schema: DatabaseSpec#ensure
        '''
        result = self._values.get("ensure")
        return typing.cast(typing.Optional["DatabaseSpecEnsure"], result)

    @builtins.property
    def locale_collate(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseSpec#localeCollate
        '''
        result = self._values.get("locale_collate")
        return typing.cast(typing.Optional[builtins.str], result)

    @builtins.property
    def locale_c_type(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseSpec#localeCType
        '''
        result = self._values.get("locale_c_type")
        return typing.cast(typing.Optional[builtins.str], result)

    @builtins.property
    def locale_provider(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseSpec#localeProvider
        '''
        result = self._values.get("locale_provider")
        return typing.cast(typing.Optional[builtins.str], result)

    @builtins.property
    def template(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseSpec#template
        '''
        result = self._values.get("template")
        return typing.cast(typing.Optional[builtins.str], result)

    def __eq__(self, rhs: typing.Any) -> builtins.bool:
        return isinstance(rhs, self.__class__) and rhs._values == self._values

    def __ne__(self, rhs: typing.Any) -> builtins.bool:
        return not (rhs == self)

    def __repr__(self) -> str:
        return "DatabaseSpec(%s)" % ", ".join(
            k + "=" + repr(v) for k, v in self._values.items()
        )


@jsii.data_type(
    jsii_type="iocnpgpostgresql.DatabaseSpecCluster",
    jsii_struct_bases=[],
    name_mapping={"name": "name"},
)
class DatabaseSpecCluster:
    def __init__(self, *, name: typing.Optional[builtins.str] = None) -> None:
        '''
        :param name: 

        :schema: DatabaseSpecCluster
        '''
        if __debug__:
            type_hints = cached_type_hints(_typecheckingstub__d2c2ba9cde9931ede476cecbe7541ee37966d2c49d64378c214ddfab6d41f704)
            check_type(argname="argument name", value=name, expected_type=type_hints["name"])
        self._values: typing.Dict[builtins.str, typing.Any] = {}
        if name is not None:
            self._values["name"] = name

    @builtins.property
    def name(self) -> typing.Optional[builtins.str]:
        '''
        :schema: DatabaseSpecCluster#name
        '''
        result = self._values.get("name")
        return typing.cast(typing.Optional[builtins.str], result)

    def __eq__(self, rhs: typing.Any) -> builtins.bool:
        return isinstance(rhs, self.__class__) and rhs._values == self._values

    def __ne__(self, rhs: typing.Any) -> builtins.bool:
        return not (rhs == self)

    def __repr__(self) -> str:
        return "DatabaseSpecCluster(%s)" % ", ".join(
            k + "=" + repr(v) for k, v in self._values.items()
        )


@jsii.enum(jsii_type="iocnpgpostgresql.DatabaseSpecDatabaseReclaimPolicy")
class DatabaseSpecDatabaseReclaimPolicy(enum.Enum):
    '''
    :schema: DatabaseSpecDatabaseReclaimPolicy
    '''

    DELETE = "DELETE"
    '''delete.'''
    RETAIN = "RETAIN"
    '''retain.'''


@jsii.enum(jsii_type="iocnpgpostgresql.DatabaseSpecEnsure")
class DatabaseSpecEnsure(enum.Enum):
    '''
    :schema: DatabaseSpecEnsure
    '''

    PRESENT = "PRESENT"
    '''present.'''
    ABSENT = "ABSENT"
    '''absent.'''


__all__ = [
    "Database",
    "DatabaseProps",
    "DatabaseRole",
    "DatabaseRoleProps",
    "DatabaseRoleSpec",
    "DatabaseRoleSpecCluster",
    "DatabaseRoleSpecDatabaseRoleReclaimPolicy",
    "DatabaseRoleSpecEnsure",
    "DatabaseRoleSpecPasswordSecret",
    "DatabaseSpec",
    "DatabaseSpecCluster",
    "DatabaseSpecDatabaseReclaimPolicy",
    "DatabaseSpecEnsure",
]

publication.publish()

def _typecheckingstub__12efa6a3b7dfc456c05d54b4a04238d4a13b49c54c80b003db931926fb9af4af(
    scope: _constructs_77d1e7e8.Construct,
    id: builtins.str,
    *,
    spec: typing.Union[DatabaseSpec, typing.Dict[builtins.str, typing.Any]],
    metadata: typing.Optional[typing.Union[_cdk8s_d3d9af27.ApiObjectMetadata, typing.Dict[builtins.str, typing.Any]]] = None,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__591f0ff2c00177a84186f61171171235aca3ae2a8a316f0a699d16b961813df6(
    *,
    spec: typing.Union[DatabaseSpec, typing.Dict[builtins.str, typing.Any]],
    metadata: typing.Optional[typing.Union[_cdk8s_d3d9af27.ApiObjectMetadata, typing.Dict[builtins.str, typing.Any]]] = None,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__bbc9b953da38f93f5dc2cf7bbdd0ba12f2f47edb9b6984969c7ebf92cfcaead6(
    scope: _constructs_77d1e7e8.Construct,
    id: builtins.str,
    *,
    spec: typing.Union[DatabaseRoleSpec, typing.Dict[builtins.str, typing.Any]],
    metadata: typing.Optional[typing.Union[_cdk8s_d3d9af27.ApiObjectMetadata, typing.Dict[builtins.str, typing.Any]]] = None,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__59525282c28f58d91137b1856be4c5e7b6c84685515912d9757099a845d810b3(
    *,
    spec: typing.Union[DatabaseRoleSpec, typing.Dict[builtins.str, typing.Any]],
    metadata: typing.Optional[typing.Union[_cdk8s_d3d9af27.ApiObjectMetadata, typing.Dict[builtins.str, typing.Any]]] = None,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__36523bcabb7ee9edd3efd4ec5f84e860cb7b006ca7aaa4644849780957b1f59d(
    *,
    cluster: typing.Union[DatabaseRoleSpecCluster, typing.Dict[builtins.str, typing.Any]],
    name: builtins.str,
    bypassrls: typing.Optional[builtins.bool] = None,
    comment: typing.Optional[builtins.str] = None,
    connection_limit: typing.Optional[jsii.Number] = None,
    createdb: typing.Optional[builtins.bool] = None,
    createrole: typing.Optional[builtins.bool] = None,
    database_role_reclaim_policy: typing.Optional[DatabaseRoleSpecDatabaseRoleReclaimPolicy] = None,
    ensure: typing.Optional[DatabaseRoleSpecEnsure] = None,
    inherit: typing.Optional[builtins.bool] = None,
    login: typing.Optional[builtins.bool] = None,
    password_secret: typing.Optional[typing.Union[DatabaseRoleSpecPasswordSecret, typing.Dict[builtins.str, typing.Any]]] = None,
    replication: typing.Optional[builtins.bool] = None,
    superuser: typing.Optional[builtins.bool] = None,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__f3cc76bd46378c09aed32348b3651b516b45b045a3b4e40319fbe312eb0b8ddb(
    *,
    name: typing.Optional[builtins.str] = None,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__47f73f1b7db3bab89cbc7feb46655fc8648f95089ca10a95132f54eb64ccc25a(
    *,
    name: builtins.str,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__481af8f11e32a9e9791755d0ad285245bbacb0e6bcfd1399d9d5b27bea66aab8(
    *,
    cluster: typing.Union[DatabaseSpecCluster, typing.Dict[builtins.str, typing.Any]],
    name: builtins.str,
    owner: builtins.str,
    database_reclaim_policy: typing.Optional[DatabaseSpecDatabaseReclaimPolicy] = None,
    encoding: typing.Optional[builtins.str] = None,
    ensure: typing.Optional[DatabaseSpecEnsure] = None,
    locale_collate: typing.Optional[builtins.str] = None,
    locale_c_type: typing.Optional[builtins.str] = None,
    locale_provider: typing.Optional[builtins.str] = None,
    template: typing.Optional[builtins.str] = None,
) -> None:
    """Type checking stubs"""
    pass

def _typecheckingstub__d2c2ba9cde9931ede476cecbe7541ee37966d2c49d64378c214ddfab6d41f704(
    *,
    name: typing.Optional[builtins.str] = None,
) -> None:
    """Type checking stubs"""
    pass
