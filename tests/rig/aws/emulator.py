#!/usr/bin/env python3
"""The emulator, with the six things AWS does that it lacks and our end-to-end tests need. start.sh runs this.

1. A domain's endpoint has no port. The emulator writes `host:443`; AWS writes the host alone, and so does this.
2. Amazon's front door of a domain asks IAM who signed a request and whether that one may do it. The front door of the tests asks
   `GET /_rig/authority?key=ACCESS_KEY_ID&action=es:ESHttpPost&path=/_bulk`, answered from the emulator's own credentials,
   policies and domains, by the emulator's own evaluator.
3. A domain's master user is input only (AWS never says it again), so the same answer says whether the signer is one.
4. A function's `ReservedConcurrentExecutions` in a template counts. The emulator drops it.
5. A notification for a function that may not run (a reserved concurrency of 0) waits, as Lambda's queue of asynchronous events
   lets it for six hours; here it waits ten minutes. The emulator drops it.
6. Every request came by TLS, as far as a policy asks (`aws:SecureTransport`). Here all goes over loopback in plain.

Nothing here is reachable from outside: the emulator listens on loopback.
"""
import json
import time
from urllib.parse import parse_qs

from ministack import app as gateway
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, lambda_svc, opensearch, sns
from ministack.services.cloudformation import provisioners

new_domain_record = opensearch._new_domain_record
emulator = gateway.app
function_handlers = provisioners._RESOURCE_HANDLERS['AWS::Lambda::Function']
create_function, update_function = function_handlers['create'], function_handlers['update']
deliver_to_lambda = sns._deliver_to_lambda
condition_key = iam_evaluator._resolve_condition_key


def domain_record(name, payload):
    record = new_domain_record(name, payload)
    for key in ('Endpoint', '_Endpoint'):
        if key in record:
            record[key] = record[key].removesuffix(':443')
    if 'Endpoints' in record:
        record['Endpoints'] = {key: endpoint.removesuffix(':443') for key, endpoint in record['Endpoints'].items()}
    return record


def role_arn(principal, account):
    """`arn:aws:sts::1:assumed-role/NAME/SESSION` is a session of the role whose ARN may have a path before NAME."""
    if ':assumed-role/' not in principal.arn:
        return principal.arn
    name = principal.arn.split('/')[1]
    role = iam._roles.get_scoped(account, None, name)
    return role['Arn'] if role else None


def may(principal, action, resource, access_policies):
    """Within one account either side may allow, and either side may deny."""
    if principal.policies is None:
        return True
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn, principal_type=principal.type, principal_account=principal.account,
        action=action, resource_arn=resource, region='us-east-1', principal_keys=principal.keys)
    decisions = {iam_evaluator.evaluate(context, principal.policies, *principal.limits).decision}
    if access_policies:
        decisions.add(iam_evaluator.evaluate_resource_policy(access_policies, context).decision)
    return 'Allow' in decisions and 'Deny' not in decisions


def authority(key, action, path):
    account = get_account_id()
    credential = iam_evaluator.resolve_credential(key, account)
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return {'error': credential.code}
    principal = iam_evaluator.resolve_principal(key, account, credential)
    if isinstance(principal, iam_evaluator.AuthError):
        return {'error': principal.code}
    role = role_arn(principal, account)
    domains = [record for _, record in opensearch._domains.all_items() if not record.get('Deleted')]
    masters = [record['AdvancedSecurityOptions'].get('MasterUserOptions', {}).get('MasterUserARN') for record in domains]
    return {
        'secret': credential.secret_access_key,
        'token': credential.session_token,
        'principal': principal.arn,
        'role': role,
        # Every domain answers the same address here, so leave of any of them is leave.
        'allowed': any(may(principal, action, record['ARN'] + path, record.get('AccessPolicies')) for record in domains),
        'master': role is not None and role in masters,
    }


def reserve_concurrency(name, properties):
    reserved = properties.get('ReservedConcurrentExecutions')
    lambda_svc._functions[name]['concurrency'] = None if reserved is None else int(reserved)


def created_function(logical_id, properties, stack):
    made = create_function(logical_id, properties, stack)
    reserve_concurrency(made[0], properties)
    return made


def updated_function(physical_id, old, new, stack, logical_id=None):
    made = update_function(physical_id, old, new, stack, logical_id)
    reserve_concurrency(made[0], new)
    return made


def condition_key_as_by_tls(key, context):
    return 'true' if key.lower() == 'aws:securetransport' else condition_key(key, context)


def may_run(endpoint):
    name = lambda_svc._get_func_record_for_ref(endpoint)[2]
    return lambda_svc._functions.get(name, {}).get('concurrency') != 0


def delivered_to_lambda(endpoint, *message):
    """Runs on a thread of its own."""
    latest = time.monotonic() + 600
    while not may_run(endpoint) and time.monotonic() < latest:
        time.sleep(0.2)
    deliver_to_lambda(endpoint, *message)


async def with_authority(scope, receive, send):
    if scope['type'] != 'http' or scope['path'] != '/_rig/authority':
        await emulator(scope, receive, send)
        return
    asked = {name: values[0] for name, values in parse_qs(scope['query_string'].decode()).items()}
    body = json.dumps(authority(asked['key'], asked['action'], asked['path'])).encode()
    headers = [(b'content-type', b'application/json'), (b'content-length', str(len(body)).encode())]
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})


opensearch._new_domain_record = domain_record
function_handlers.update(create=created_function, update=updated_function)
sns._deliver_to_lambda = delivered_to_lambda
iam_evaluator._resolve_condition_key = condition_key_as_by_tls
gateway.app = with_authority
gateway.main()
