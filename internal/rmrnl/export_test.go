// SPDX-License-Identifier: Apache-2.0

package rmrnl

// DecodeNotification is for the fuzz test.
var DecodeNotification = decodeNotification
